"""Numbers and names as people read them: percent, points, intervals, gaps, rungs."""

import re
from typing import Final

from gapwise.diagnostics import words
from gapwise.diagnostics.words import percent as percent  # said alike in sentences and labels

# A label is shorter than what a sentence says.
GAPS: Final = words.GAPS | {"dev_overfit": "dev overfit"}
RUNGS: Final = {
    "human": "Human",
    "train": "Train",
    "train_dev": "Train-dev",
    "dev": "Dev",
    "test": "Test",
    "field": "In use",
}


def of_gap(name: str) -> str:
    """Return a gap's name in words; a combined one has its parts joined by "+"."""
    return " + ".join(GAPS.get(part, part) for part in name.split("+"))


def of_rung(name: str) -> str:
    """Return a rung's or split's name as a label."""
    return RUNGS.get(name, name)


def points(fraction: float) -> str:
    """Return a signed difference of fractions in points, without the unit."""
    return _minus(f"{100 * fraction:+.1f}")


def span(low: float | None, high: float | None) -> str:
    """Return an interval of fractions in percent or points, "" where there is none."""
    if low is None or high is None:
        return ""
    return f"{_minus(f'{100 * low:.1f}')} – {_minus(f'{100 * high:.1f}')}"


def number(value: float) -> str:
    """Return a number in its own unit: whole ones and large ones in full, others to 3 figures."""
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun in the right number: "1 seed", "1,000 examples"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def short(label: str, limit: int = 18) -> str:
    """Return a label cut to ``limit`` characters."""
    return label if len(label) <= limit else label[: limit - 1] + "…"


def plotly_text(text: object) -> str:
    """Return ``text`` so that plotly draws it as it stands: plotly reads tags and entities."""
    safe = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"[\x00-\x1f\x7f]", " ", safe)


def _minus(number: str) -> str:
    return number.replace("-", "−")
