"""One run as a page to mail: HTML, SVG and Markdown from plain facts; nothing is computed here."""
