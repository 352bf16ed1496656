"""The colours of every page and figure: each gap keeps its own everywhere (DESIGN §2)."""

from typing import Final

INK: Final = "#17202b"
MUTED: Final = "#667383"
FAINT: Final = "#98a3b0"
LINE: Final = "#e3e8ee"
GRID: Final = "#eef1f5"
GROUND: Final = "#f6f8fb"
CARD: Final = "#ffffff"
STEEL: Final = "#c7d1de"
PALE: Final = "#e9f0fb"
GOOD: Final = "#2b8a57"

BLUE: Final = "#3b6cd4"
AMBER: Final = "#dc8f2c"
RED: Final = "#c8414b"
VIOLET: Final = "#7d55c7"

# Layers of networks have colours of their own, so that no gap's colour means something else.
TEAL: Final = "#2a8ca0"
PINE: Final = "#1f6474"
SAND: Final = "#d9c08c"
PLUM: Final = "#a8577e"

GAPS: Final[dict[str, str]] = {
    "bias": BLUE,
    "avoidable_bias": BLUE,
    "variance": AMBER,
    "data_mismatch": RED,
    "dev_overfit": VIOLET,
    "field": PINE,
}

SPLITS: Final = {"train": BLUE, "train_dev": AMBER, "dev": RED, "test": VIOLET, "field": PINE}

SERIES: Final = (BLUE, RED, AMBER, VIOLET, GOOD, TEAL, PLUM, MUTED)


def of_gap(name: str) -> str:
    """Return a gap's colour; a combined gap has that of its last part, where its bar ends."""
    return GAPS.get(name.split("+")[-1], MUTED)
