"""Two runs on the same examples."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console

MOST = 6
"""Classes or sources that are told; --json has all."""


def show_comparison(document: Mapping[str, Any]) -> None:
    """Print which of two runs is better, how sure that is, and what flipped."""
    from gapwise.diagnostics.words import of_gap

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
    if document["says"]:
        out.print(document["says"], markup=False, highlight=False)
    for column, counts in document["by"].items():
        moved = {name: c for name, c in counts.items() if c["fixed"] or c["broken"]}
        if moved and (len(counts) > 1 or column == "tag"):
            out.print(f"By {column}: {_moved(moved)}.", markup=False, highlight=False)
    for key, (before, after) in document["knobs_changed"].items():
        gap = of_gap(document["acts_on"].get(key, ""))
        tail = f"   ({gap})" if gap else ""
        out.print(f"  {key}: {before} → {after}{tail}", markup=False, highlight=False)
    if document["credit"]:
        out.print(f"  {document['credit']}.", markup=False)


def _moved(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Return the values in which most examples flipped, with how many were fixed and broken."""
    order = sorted(counts, key=lambda name: -(counts[name]["fixed"] + counts[name]["broken"]))
    told = [f"{name} +{counts[name]['fixed']} −{counts[name]['broken']}" for name in order[:MOST]]
    more = len(order) - MOST
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")
