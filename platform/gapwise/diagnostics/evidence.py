"""All that a diagnosis is made from: plain stored values, never a live network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gapwise.diagnostics.data_faults import Leak, faults_in_memory, read_faults
from gapwise.diagnostics.error_table import ErrorTable
from gapwise.diagnostics.errors_by_split import SplitErrors, from_predictions
from gapwise.diagnostics.reading import read_splits
from gapwise.records import HumanLevel, Predictions
from gapwise.statistics.label_noise import Disputed

FEW_SEEDS = 5


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """The share of ``n`` answers in use that were wrong, and who judged them (notes 4.2)."""

    error: float
    n: int
    source: str = ""


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
        input_shape: shape of one input, (channels, height, width) for images; empty where unknown.
        more_data: the most that twice the training data takes off the dev error, by the last
            learning curve of the pipeline; None where none was made.
        in_use: the error in the field, where somebody measured it.
        train_errors: the running train error of the (first) run by epoch; empty where unknown.
        leaks: split → its examples that stand in train too, where there are any.
        disputed: split → the labels that the (first) run disputes, where it can tell.
        error_table: what people saw in the dev errors of the (first) run, where they read any.
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
    input_shape: tuple[int, ...] = ()
    more_data: float | None = None
    in_use: FieldError | None = None
    train_errors: tuple[float, ...] = ()
    leaks: Mapping[str, Leak] = field(default_factory=dict)
    disputed: Mapping[str, Disputed] = field(default_factory=dict)
    error_table: ErrorTable | None = None

    @property
    def seeds(self) -> int:
        """How many runs speak together."""
        return len(self.run_ids)


def read(
    *,
    run_ids: tuple[str, ...],
    paths: Mapping[str, Sequence[Path]],
    relabels: Mapping[str, str] | None = None,
    **known: Any,
) -> Evidence:
    """Return the evidence that prediction files give, with what else is known of the runs.

    Args:
        run_ids: the runs.
        paths: split → the Parquet file of every run, in the order of ``run_ids``.
        relabels: example → its label now, for those that were reviewed.
        known: any further field of ``Evidence``.

    Raises:
        DataError: a file cannot be read, lacks the column ``error``, or holds wrong numbers.
    """
    splits, classes = read_splits(paths, relabels=relabels)
    faults = read_faults(paths, relabels or {})
    found = {"splits": splits, "classes": classes, **vars(faults)}
    return Evidence(**{"run_ids": run_ids, **found, **known})


def from_memory(runs: Mapping[str, Sequence[Predictions]], **known: Any) -> Evidence:
    """Return the evidence of predictions in memory: run id → its predictions of each split.

    A split that not every run has, or that is empty, is left out.

    Raises:
        DataError: errors or weights are no valid numbers.
    """
    tables = [{p.split: p for p in run if len(p)} for run in runs.values()]
    shared = [split for split in tables[0] if all(split in table for table in tables)]
    several = len(tables) > 1
    splits = {
        split: tuple(from_predictions(table[split], keep_examples=several) for table in tables)
        for split in shared
    }
    classes = next((p.classes for table in tables for p in table.values()), ())
    found = {"splits": splits, "classes": classes, **vars(faults_in_memory(tables[0]))}
    return Evidence(**{"run_ids": tuple(runs), **found, **known})
