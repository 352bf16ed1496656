"""Who acts on a page: a setting of the browser, made once, never a box beside each save.

Where nobody signs in, the name is that of the person at this machine, or ``GAPWISE_AUTHOR``. People
who share one server each set theirs; it stands in a cookie of this server alone.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

import streamlit as st

from gapwise.errors import GapwiseError
from gapwise.ledger.event import short
from gapwise.workflows.author import author

COOKIE: Final = "gapwise_name"
LONGEST: Final = 64


def by_cookies(cookies: Mapping[str, str]) -> str:
    """Return the name that a browser's cookies give, else that of the person at this machine."""
    name = clean(unquote(cookies.get(COOKIE, "")))
    return name or author()


def here() -> str:
    """Return who looks at the page that is being made."""
    return by_cookies(st.context.cookies)


def clean(name: str) -> str:
    """Return a name as it may stand in the ledger; "" for one that may not."""
    tidy = " ".join(name.split())[:LONGEST]
    try:
        return short(tidy, "a name")
    except GapwiseError:
        return ""


def cookie(name: str) -> str:
    """Return what a browser must keep to be called ``name``."""
    return f"{COOKIE}={quote(clean(name), safe='')}; Path=/; SameSite=Strict; Max-Age=31536000"
