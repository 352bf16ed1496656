"""The metrics of stored runs: from predictions, from their networks, or as they were logged."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gapwise.diagnostics.dev_wear import wear
from gapwise.diagnostics.measured import Value, p_value, value_of
from gapwise.diagnostics.measures import Measure
from gapwise.diagnostics.parts import labels_digest
from gapwise.diagnostics.relabelled import relabelled
from gapwise.diagnostics.selection import PValue
from gapwise.diagnostics.weighing import Weighing
from gapwise.errors import StorageError, UsageError
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.statistics.intervals import Interval
from gapwise.tracking import predictions as tables
from gapwise.tracking.stored import StoredRun
from gapwise.workflows.costs import CostRequest, costs_of
from gapwise.workflows.labelled import labels_at

_NEEDED = ("example_id", "target", "predicted", "error", "weight", "group", "source")

ABSENT = "the run does not hold it"


class Measuring:
    """Gives the metrics of runs: each from predictions, from its network, or as it was logged.

    Args:
        split: what metrics of predictions are of.
        weighings: of ``weighted_error``.
        costs: how a network's cost is measured.
        settings: where runs are.
    """

    def __init__(
        self,
        *,
        split: str,
        settings: Settings,
        weighings: Sequence[Weighing] = (),
        costs: CostRequest | None = None,
    ) -> None:
        self.split = split
        self.weighings = tuple(weighings)
        self._costs = costs or CostRequest(threads=usable_cores())
        self._settings = settings
        self._predictions: dict[str, Predictions] = {}
        self._values: dict[tuple[str, str], Value] = {}
        self.told: dict[str, Any] = {}
        """How costs were measured; empty where none was."""

    def read(self, runs: Sequence[StoredRun], measures: Iterable[Measure]) -> None:
        """Read the predictions of all runs that have some, if a metric needs them."""
        wanted = [one for one in measures if one.is_fraction]
        columns = [one.of for one in wanted if one.base == "mean_error"]
        columns += [one.column for one in self.weighings if one.column]
        if not wanted:
            return
        further = [name for name in columns if name not in (*_NEEDED, "class")]
        needed = [*_NEEDED, *dict.fromkeys(further)]
        labels = {name: labels_at(name, self._settings) for name in {run.dataset for run in runs}}
        for run in runs:
            path = run.predictions_path(self.split)
            if path is not None:
                table = tables.read(path, needed, self.split)
                self._predictions[run.run_id] = relabelled(table, labels[run.dataset])

    def comparable(
        self, runs: Sequence[StoredRun], optimize: Measure
    ) -> tuple[list[StoredRun], list[dict[str, str]]]:
        """Return the runs that can be held against each other, and the others with the reason."""
        if not (optimize.is_fraction and self._predictions):
            return list(runs), []
        digests = {run_id: labels_digest(found) for run_id, found in self._predictions.items()}
        common = Counter(digests.values()).most_common(1)[0][0]
        example = next(run_id for run_id, digest in digests.items() if digest == common)
        kept, left_out = [], []
        for run in runs:
            if digests.get(run.run_id, common) == common:
                kept.append(run)
                continue
            theirs = self._predictions[run.run_id].example_id
            shared = len(np.intersect1d(theirs, self._predictions[example].example_id))
            left_out.append(
                {
                    "run_id": run.run_id,
                    "why": f"its {self.split} examples or their labels "
                    f"({digests[run.run_id]}) are not those of the others ({common}); "
                    f"{shared} examples are shared",
                }
            )
        return kept, left_out

    def value(self, one: Measure, run: StoredRun) -> Value:
        """Return a metric of a run; without a value, and why, where it is not known."""
        key = (one.name, run.run_id)
        if key not in self._values:
            self._values[key] = self._value(one, run)
        return self._values[key]

    def paired(self, optimize: Measure, runs: Sequence[StoredRun]) -> PValue | None:
        """Return the paired test of two runs by id; None where the metric has none."""
        paired = optimize.is_fraction and all(run.run_id in self._predictions for run in runs)
        if not paired:
            return None
        known = self._predictions
        return lambda a, b: p_value(optimize, known[a], known[b], self.weighings)

    def wear(self, runs: Sequence[StoredRun]) -> dict[str, Any] | None:
        """Return how worn dev is by choosing among ``runs`` by error, as plain values."""
        if self.split != "dev":
            return None
        known = {
            r.run_id: self._predictions[r.run_id] for r in runs if r.run_id in self._predictions
        }
        epochs = (int(run.metrics.get("epochs", 0) or 0) for run in runs)
        found = wear(known, sum(epochs))
        return None if found is None else found.as_json()

    def _value(self, one: Measure, run: StoredRun) -> Value:
        if one.is_fraction and run.run_id in self._predictions:
            return value_of(one, self._predictions[run.run_id], self.weighings)
        logged = run.metrics.get(one.name)
        if logged is not None and math.isfinite(logged):
            return Value(value=float(logged))
        if logged is not None:
            return Value(value=None, why=f"it is {logged}")
        if one.kind == "cost":
            return self._cost(one, run)
        if one.is_fraction:
            return Value(value=None, why=f"the run has no predictions of {self.split}")
        return Value(value=None, why=ABSENT)

    def _cost(self, one: Measure, run: StoredRun) -> Value:
        try:
            found = costs_of(run.run_id, self._costs, self._settings)
        except (UsageError, StorageError) as error:
            return Value(value=None, why=str(error))
        self.told = {
            "batch": found.batch,
            "device": found.device,
            "threads": found.threads,
            "passes": found.passes,
        }
        value = getattr(found, one.base)
        if one.base.startswith("latency"):
            return Value(value=value.value, interval=Interval(value.low, value.high))
        return Value(value=float(value))


def usable_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS has no affinity
        return os.cpu_count() or 1
