"""Combined gaps in sentences: several gaps that a missing rung joins are many, not one."""

from itertools import pairwise

from gapwise.diagnostics import words

_BETWEEN = {
    "avoidable_bias": "predictions of train",
    "bias": "predictions of train",
    "variance": "train-dev examples",
    "data_mismatch": "predictions of dev",
    "dev_overfit": "a look at the test error",
}


def subject(name: str) -> str:
    """Return a gap's name with its verb: "variance is", "bias and variance together are"."""
    parts = name.split("+")
    if len(parts) == 1:
        return f"{words.of_gap(name)} is"
    return f"{words.listed([words.of_gap(part) for part in parts])} together are"


def apart(name: str) -> str:
    """Return "; … would tell … and … apart" for a combined gap, "" for a single one."""
    parts = name.split("+")
    tells = [
        f"{_BETWEEN[first]} would tell {words.of_gap(first)} and {words.of_gap(second)} apart"
        for first, second in pairwise(parts)
    ]
    return f"; {words.listed(tells)}" if tells else ""


def sentence(text: str) -> str:
    """Return ``text`` with its first letter large."""
    return text[:1].upper() + text[1:]
