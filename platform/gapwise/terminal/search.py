"""What a search found: rounds and why they drew where, the winner and what it is worth."""

import json
from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, hanging, interval, percent


def show_search(document: Mapping[str, Any]) -> None:
    """Print each round, the best setting, its honest error, and the verdict."""
    out = console()
    table = grid("Round", "Drawn by", "Trials", "To the end", "Best dev error")
    for one in document["rounds"]:
        table.add_row(
            str(one["round"]),
            one["sampler"],
            str(one["trials"]),
            str(one["states"]["done"]),
            percent(one["best"]),
        )
    out.print(table)
    for one in document["rounds"][1:]:
        out.print(f"Why round {one['round']} drew where it did", style="bold")
        for why in one["why"]:
            hanging(out, " ", why)
    best = document["best"]
    if best is not None:
        _show_best(document, best)
    out.print(f"\n{document['says']}", markup=False, highlight=False, style="bold")
    if best is not None and not best["is_pipeline"]:
        words = " ".join(_override(key, value) for key, value in best["parameters"].items())
        out.print("To train it:", style="bold")
        hanging(out, " ", f"gapwise train {document['pipeline']} {words}")


def _show_best(document: Mapping[str, Any], best: Mapping[str, Any]) -> None:
    from gapwise.search.space import told

    out = console()
    out.print(f"\nBest: trial {best['trial']} (run {best['run_id'][:10]})", style="bold")
    for key, value in best["parameters"].items():
        hanging(out, " ", f"{key} = {told(value)}")
    optimism = document["optimism"]
    if optimism:
        hanging(
            out,
            " ",
            f"Its dev error of {percent(optimism['apparent'])} was the lowest of "
            f"{optimism['candidates']}; expect {percent(optimism['corrected'])} "
            f"({interval(optimism['low'], optimism['high'])}) on new examples.",
        )
    for trial, why in document["broke_limits"].items():
        hanging(out, " ", f"Trial {trial} had a lower error but breaks a limit: {why}")
    for trial, why in document["unfit"].items():
        hanging(out, " ", f"Trial {trial} had a lower error but could not be trained again, {why}")


def _override(key: str, value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"name"}:
        value = value["name"]
    text = value if isinstance(value, str) else json.dumps(value)
    return f"'{key}={text}'" if any(mark in text for mark in ' [{"') else f"{key}={text}"
