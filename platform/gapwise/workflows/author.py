"""Who acts: the name that goes into the ledger where no page says who has signed in."""

import getpass
import os
from collections.abc import Callable

_first: list[Callable[[], str]] = []


def ask_first(source: Callable[[], str]) -> None:
    """Let ``source`` say who acts; where it gives "", the person at this machine does."""
    _first[:] = [source]


def author() -> str:
    """Return who has signed in, else what ``GAPWISE_AUTHOR`` says, else this machine's person."""
    for source in _first:
        if signed_in := source():
            return signed_in
    named = " ".join(os.environ.get("GAPWISE_AUTHOR", "").split())
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
