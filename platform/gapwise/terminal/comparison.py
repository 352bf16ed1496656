"""Two runs on the same examples."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console


def show_comparison(document: Mapping[str, Any]) -> None:
    """Print which of two runs is better, how sure that is, and what flipped."""
    out = console()
    low, high = document["low"], document["high"]
    bounds = "no interval" if low is None else f"{100 * low:.2f} … {100 * high:.2f}"
    out.print(
        f"{document['split']}, {document['n_shared']:,} shared examples: error(A) − error(B) = "
        f"{100 * document['difference']:+.2f} points ({bounds}), p = {document['p_value']:.3g} "
        f"({document['test']}).",
        highlight=False,
    )
    fixed, broken = f"{document['fixed']:,}", f"{document['broken']:,}"
    flipped = f"B fixes {fixed} examples that A gets wrong, and breaks {broken}."
    if document["fractional"]:
        flipped = f"B errs less on {fixed} examples, and more on {broken}."
    out.print(flipped, highlight=False)
    verdicts = {"a": "A has the lower error.", "b": "B has the lower error."}
    out.print(verdicts.get(document["verdict"], "Undecided: chance alone could do this."))
    for key, (before, after) in document["knobs_changed"].items():
        out.print(f"  {key}: {before} → {after}", markup=False, highlight=False)
    if document["credit"]:
        out.print(f"  {document['credit']}.", markup=False)
