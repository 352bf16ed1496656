"""A system of two steps, and one network from end to end beside it."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.ceiling import show_ceiling
from gapwise.terminal.comparison import show_comparison
from gapwise.terminal.out import console, say

SHOWN_ID = 12


def show_two_steps(document: Mapping[str, Any]) -> None:
    """Print the ceilings, the comparison, and how to see both in the browser."""
    out = console()
    for split, count in document["left_out"].items():
        out.print(
            f"{split.replace('_', '-')}: {count:,} examples without a box, or with several, are "
            "left out.",
            highlight=False,
        )
    show_ceiling(document["ceiling"])
    if document["against"]:
        out.print()
        out.print("A: the two steps. B: one network from end to end.", highlight=False)
        show_comparison(document["against"])
    made, perfect = (document[name][:SHOWN_ID] for name in ("as_it_is", "find_perfect"))
    say(f"The runs: {made}, and with finding perfect {perfect}. Next: gapwise dashboard, Ceiling")
