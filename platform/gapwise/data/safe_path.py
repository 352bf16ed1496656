"""Paths that stand in data: they must stay inside the data root, and name a regular file."""

import re
import stat
from pathlib import Path
from urllib.parse import unquote

OUTSIDE = "outside-root"

_DRIVE = re.compile(r"[A-Za-z]:")


def refusal(root: Path, text: str) -> tuple[str, str] | None:
    """Return why ``text`` cannot name a file of ``root``: (code, reason); None where it can.

    Args:
        root: a resolved folder.
        text: a path as it stands in the data, relative to ``root``.

    Nothing outside ``root`` is opened; links are followed only to see where they end.
    """
    spelling = _spelling(text)
    if spelling:
        return OUTSIDE, f"outside data root: {spelling}"
    try:
        path = (root / text).resolve()
        if not path.is_relative_to(root):
            return OUTSIDE, "outside data root: a link leads out of it"
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "not-found", "file not found"
    except (OSError, RuntimeError, ValueError) as error:
        return "unreadable", f"cannot be looked up ({type(error).__name__})"
    if not stat.S_ISREG(mode):
        return "no-file", "not a regular file"
    return None


def _spelling(text: str) -> str:
    """Return what is wrong with how a path is written; "" where nothing is."""
    # A path that was percent-encoded (even twice) would leave the root once somebody decodes it.
    decoded = unquote(unquote(text)).replace("\\", "/")
    if not decoded.strip() or "\0" in decoded:
        return "empty, or holds a NUL"
    if decoded.startswith(("/", "~")) or _DRIVE.match(decoded):
        return "absolute path"
    if ".." in decoded.split("/"):
        return "'..' in the path"
    return ""
