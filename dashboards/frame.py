"""What surrounds every page: the look, the URL's values, and errors told in one line."""

import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from dashboards import carry
from dashboards.text import said
from gapwise.errors import GapwiseError

_log = logging.getLogger("gapwise.dashboard")


@contextmanager
def page(title: str, own: Sequence[str] = ()) -> Iterator[None]:
    """Surround a page; an error in it becomes one line, never a traceback (FAULTS B4, B5).

    ``own`` names the values in the URL that this page alone has a use for.
    """
    st.set_page_config(page_title=f"{title} · Gapwise", page_icon=_icon(), layout="wide")
    carry.begin(own)
    try:
        yield
    except GapwiseError as error:
        told(error)
    except Exception:
        failed(title)


def told(error: GapwiseError) -> None:
    """Show an error that says itself what is wrong and how to mend it."""
    st.error(said(f"{error}."[: -1 if str(error).endswith(".") else None]))


def failed(title: str) -> None:
    """Show that a page failed: a code to look up in the server's log, nothing else."""
    code = secrets.token_hex(4)
    _log.exception("page %s failed, id %s", title, code)
    st.error(
        f"**E500** · id `{code}` · This page hit an error of its own. The server's log names the "
        "cause under this id; the other pages still work."
    )


def _icon() -> Path:
    return Path(__file__).parent.absolute() / "icon.png"
