"""Learning curves: the answer, the points and the forecasts."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, interval, percent


def show_curve(document: Mapping[str, Any]) -> None:
    """Print each curve's points and forecasts, and the answer to "would more data help?"."""
    out = console()
    several = len(document["variants"]) > 1
    for variant in document["variants"]:
        curve = variant["curve"]
        if several:
            out.print(f"\n{variant['name'] or 'as it is'}", markup=False, style="bold")
        table = grid("Examples", "Seeds", "Train error", "Dev error", "95 %")
        for point in curve["points"]:
            table.add_row(
                f"{point['size']:,}",
                f"{point['seeds']}",
                percent(point["train_error"]),
                percent(point["dev_error"]),
                interval(point["dev_low"], point["dev_high"]),
            )
        for found in curve["forecasts"]:
            if not found["abstains"]:
                table.add_row(
                    f"{found['size']:,}",
                    "forecast",
                    percent(max(0.0, found["error"] - found["gap"])),
                    percent(found["error"]),
                    interval(found["low"], found["high"]),
                    style="cyan",
                )
        out.print(table)
        if several:
            out.print(curve["says"], markup=False, highlight=False)
    out.print(f"\n{document['says']}", markup=False, highlight=False, style="bold")
    for reason in _withheld(document["variants"][0]["curve"]):
        out.print(reason, markup=False, highlight=False)
    out.print(
        f"{document['trained']} runs trained, {document['reused']} were there already; they stand "
        f"under {document['pipeline']}-curve.",
        markup=False,
        highlight=False,
    )


def _withheld(curve: Mapping[str, Any]) -> list[str]:
    """Return why a later forecast is missing where an earlier one stands."""
    later = curve["forecasts"][1:] if not curve["abstains"] else ()
    return [
        f"Nothing is said of {found['factor']:g} times the data: {found['abstains']}."
        for found in later
        if found["abstains"]
    ]
