"""When a run was, and how long it took, as people say it."""

import time

from gapwise.figures import words
from gapwise.tracking.stored import StoredRun


def when(found: StoredRun) -> str:
    """Return how long ago a run started."""
    return ago(max(0.0, time.time() - found.started / 1000))


def ago(seconds: float) -> str:
    """Return how long ago that is, as people say it."""
    for size, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{words.count(int(seconds // size), noun)} ago"
    return "just now"


def took(found: StoredRun) -> str:
    """Return how long a run took, "" while it runs."""
    if found.ended is None:
        return ""
    seconds = max(0, (found.ended - found.started) // 1000)
    return f"took {seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"took {seconds} s"
