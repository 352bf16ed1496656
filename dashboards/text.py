"""Text from data stays text: Streamlit's labels, cells and paragraphs all read Markdown."""

import re

JOINER = "\u2060"  # takes no room; it keeps apart what would be read as a link, an icon, an arrow

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f\u2028\u2029]+")
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_JOINED = re.compile(r"(?<=[:@<>=~-])(?=\S)|(?<=[wW])(?=\.)")


def safe(value: object, limit: int = 300) -> str:
    """Return ``value`` so that Streamlit's Markdown shows it as it stands, on one line.

    Backslashes take the meaning from Markdown, LaTeX, HTML and colour directives; but links, emoji
    codes and arrows are sought in the finished text, so a joiner parts what they are made of.
    """
    text = _BIDI.sub("", _SPACE.sub(" ", str(value))).strip()
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return _PUNCTUATION.sub(r"\\\1", _JOINED.sub(JOINER, short))


def said(value: str) -> str:
    """Return a sentence of the library, with names from data in it, for Markdown."""
    return safe(value, 2000)
