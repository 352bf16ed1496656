"""Plain data → plotly figure, one figure a file; nothing is computed here."""
