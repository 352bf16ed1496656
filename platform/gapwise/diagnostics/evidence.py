"""All that a diagnosis is made from: plain stored values, never a live network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gapwise.diagnostics.errors_by_split import SplitErrors, from_predictions
from gapwise.records import HumanLevel, Predictions


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence of one run, or of several that differ in seed alone.

    Attributes:
        run_ids: the runs; the first one names the diagnosis.
        splits: split → the errors of every run, in the order of ``run_ids``.
        human: measured human levels.
        pipeline: the resolved pipeline, where there is one.
        label_revision: position in the ledger that the labels stand at.
        looks: how often the test set has been looked at.
        quarantined: examples that were set aside while reading.
        notes: what a reader must know of this data, one sentence each.
        classes: the class names, where the task has classes.
        same_distribution: train and dev are stated, or were split, from one distribution.
        images: the inputs are images; None where nobody knows.
    """

    run_ids: tuple[str, ...]
    splits: Mapping[str, tuple[SplitErrors, ...]]
    human: tuple[HumanLevel, ...] = ()
    pipeline: Mapping[str, Any] = field(default_factory=dict)
    label_revision: int = 0
    looks: int = 0
    quarantined: int = 0
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    same_distribution: bool = False
    images: bool | None = None

    @property
    def seeds(self) -> int:
        """How many runs speak together."""
        return len(self.run_ids)


def gather(
    runs: Mapping[str, Sequence[Predictions]] | Mapping[str, Mapping[str, Predictions]],
) -> dict[str, tuple[SplitErrors, ...]]:
    """Return ``Evidence.splits`` from predictions in memory: run id → its predictions.

    A split that not every run has, or that is empty, is left out.

    Raises:
        DataError: errors or weights are no valid numbers.
    """
    tables = [
        {p.split: p for p in (run.values() if isinstance(run, Mapping) else run) if len(p)}
        for run in runs.values()
    ]
    shared = [s for s in (tables[0] if tables else {}) if all(s in table for table in tables)]
    several = len(tables) > 1
    return {s: tuple(from_predictions(t[s], keep_examples=several) for t in tables) for s in shared}
