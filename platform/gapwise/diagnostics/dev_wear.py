"""How worn a dev set is by choosing on it, and when to renew it (notes 4.5, 4.6).

Every choice by dev error makes the chosen run look a little better than it is. The wear is the
optimism of the best run (``statistics.best_of``), held against what one cannot see anyway: half of
the width of the dev error's 95 % interval.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gapwise.diagnostics import words
from gapwise.diagnostics.errors_by_split import from_predictions, group_keys
from gapwise.records import Predictions
from gapwise.statistics.best_of import Optimism, best_of

MOST_RUNS = 500


@dataclass(frozen=True, kw_only=True)
class Wear:
    """What choosing did to dev.

    Attributes:
        run_id: the best run.
        optimism: of its dev error.
        looks: epochs that were judged by dev, over all runs.
        half_width: of the dev error's interval; None without one.
        renew: whether dev should be renewed.
    """

    run_id: str
    optimism: Optimism
    looks: int
    half_width: float | None
    renew: bool

    @property
    def says(self) -> str:
        """One or two sentences."""
        found = self.optimism
        size = words.points(found.optimism)
        honest = f"{words.percent(found.corrected)}{words.span(found.low, found.high)}"
        looks = f", and {self.looks:,} epochs were judged by it" if self.looks else ""
        said = (
            f"Dev was used to choose among {found.candidates} runs{looks}: the best one's error of "
            f"{words.percent(found.apparent)} is too good by about {size}; expect {honest} on new "
            "examples."
        )
        if self.renew:
            return f"{said} That is more than dev can show: draw new dev examples before going on."
        return f"{said} That is less than dev can show, so it still serves."

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "run_id": self.run_id,
            "looks": self.looks,
            "half_width": self.half_width,
            "renew": self.renew,
            "says": self.says,
            **{key: value for key, value in asdict(self.optimism).items() if key != "best"},
            "optimism": self.optimism.optimism,
        }


def wear(runs: Mapping[str, Predictions], looks: int = 0) -> Wear | None:
    """Return how worn a split is by choosing among ``runs``; None for fewer than two.

    Args:
        runs: run id → its predictions; the same examples in all. Of more than 500 runs those with
            the lowest errors count: the others were never in question.
        looks: epochs that were judged by the split.
    """
    if len(runs) < 2:
        return None
    means = {run: float(np.average(p.error, weights=p.weight)) for run, p in runs.items()}
    kept = sorted(runs, key=lambda run: (means[run], run))[:MOST_RUNS]
    errors = np.stack([_sorted_errors(runs[run]) for run in kept])
    first = runs[kept[0]]
    order = np.argsort(first.example_id)
    group = group_keys(None if first.group is None else first.group[order])
    found = best_of(errors, first.weight[order], group)
    interval = from_predictions(first).interval
    half = None if interval is None else (interval.high - interval.low) / 2
    return Wear(
        run_id=kept[0],
        optimism=found,
        looks=looks,
        half_width=half,
        renew=half is not None and found.optimism > half,
    )


def _sorted_errors(predictions: Predictions) -> Any:
    return predictions.error[np.argsort(predictions.example_id)]
