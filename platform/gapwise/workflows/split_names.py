"""Splits as people call them on the command line and in Python."""

from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.records import SPLITS


def split_named(text: str) -> str:
    """Return the split that is meant: ``train-dev`` is ``train_dev``.

    Raises:
        UsageError: there is none of that name.
    """
    split = text.replace("-", "_")
    if split not in SPLITS:
        raise UsageError(f"split {shown(split)!r} is not known; {did_you_mean(split, SPLITS)}")
    return split
