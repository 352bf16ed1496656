"""Who acts: the name that goes into the ledger while nobody signs in."""

import getpass


def author() -> str:
    """Return the name of the person at this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
