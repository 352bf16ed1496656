"""Who acts: the name that goes into the ledger while nobody signs in."""

import getpass
import os


def author() -> str:
    """Return the name of the person at this machine, or what ``GAPWISE_AUTHOR`` says."""
    named = " ".join(os.environ.get("GAPWISE_AUTHOR", "").split())
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
