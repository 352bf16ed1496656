"""`gapwise bayes`: estimates of the error that nobody can avoid."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gapwise.data import prepared as prepared_data
from gapwise.data.prepared import Prepared
from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.records import plain
from gapwise.settings import Settings
from gapwise.statistics.bayes_error import Estimate, annotator_error, nearest_neighbour_bound
from gapwise.tracking.store import RunStore
from gapwise.workflows import run_data

MOST_KNOWN, MOST_ASKED = 20_000, 2_000
COLUMNS = ("example_id", "annotator", "label")


@dataclass(frozen=True, kw_only=True)
class BayesEstimates:
    """What ``bayes --json`` says; errors are fractions of 1, intervals 95 %.

    Attributes:
        run_id: the run whose data it is of.
        nearest_neighbour: the lower bound by Cover and Hart; None where it does not apply.
        nearest_neighbour_error: the 1-nearest-neighbour error itself, the upper bound.
        known, asked: training examples searched, and held-out examples of the same distribution.
        annotators: disagreement with the majority of the others; None without annotations.
    """

    run_id: str
    nearest_neighbour: Estimate | None
    nearest_neighbour_error: float | None
    known: int
    asked: int
    annotators: Estimate | None

    @property
    def says(self) -> list[str]:
        """A sentence an estimate."""
        found = []
        if self.nearest_neighbour is not None and self.nearest_neighbour_error is not None:
            found.append(
                "By the nearest-neighbour rule Bayes error is estimated at "
                f"{_percent(self.nearest_neighbour)} or more, and "
                f"{100 * self.nearest_neighbour_error:.1f} % at most (Cover and Hart 1967; "
                f"{self.asked:,} examples asked, {self.known:,} known). With finite data and these "
                "features it can be too high."
            )
        if self.annotators is not None:
            found.append(
                f"Annotators are against the majority of the others in {_percent(self.annotators)} "
                f"of {self.annotators.n:,} examples. Where all err alike, this says nothing."
            )
        return [*found, "Both are estimates, not measurements: no verdict rests on them."]

    def as_json(self) -> dict[str, Any]:
        """Return the document."""
        return {**plain(asdict(self)), "says": self.says}


def bayes(
    ref: str, annotations: Path | None = None, *, settings: Settings | None = None
) -> BayesEstimates:
    """Estimate Bayes error on the training distribution of a run's data.

    Args:
        ref: a run that was trained here.
        annotations: CSV with the columns example_id, annotator and label, a row an answer.
        settings: where runs are.

    Raises:
        UsageError: there is no such run, or it has no data here.
        DataError: the annotations cannot be read, or the task has no classes.
        StorageError: the data is gone from the cache.
    """
    settings = settings or Settings.read()
    run = RunStore(settings).open(ref)
    folder = run_data.folder_of(run)
    if folder is None:
        raise UsageError(
            f"run {run.run_id} ({run.name}) names no prepared data, so its inputs are not at hand; "
            "name a run that `gapwise train` made"
        )
    data = prepared_data.open(folder)
    answered = annotator_error(_answers(annotations)) if annotations else None
    if data.labels.kind != "class":
        raise DataError(
            f"the data of run {run.run_id} has {data.labels.told}, and the nearest-neighbour bound "
            "is of classes; name a run that tells classes"
        )
    known, asked = data.indices("train"), _held_out(data)
    known, asked = _some(known, MOST_KNOWN), _some(asked, MOST_ASKED)
    classes = len(data.labels.only)
    if not len(known) or not len(asked) or classes < 2:
        return BayesEstimates(
            run_id=run.run_id, nearest_neighbour=None, nearest_neighbour_error=None,
            known=len(known), asked=len(asked), annotators=answered,
        )  # fmt: skip
    wrong = _wrong(data, known, asked)
    return BayesEstimates(
        run_id=run.run_id,
        nearest_neighbour=nearest_neighbour_bound(wrong, len(asked), classes),
        nearest_neighbour_error=wrong / len(asked),
        known=len(known),
        asked=len(asked),
        annotators=answered,
    )


def _held_out(data: Prepared) -> NDArray[np.int64]:
    """Return examples of the training distribution that did not train; dev where there are none."""
    held = data.indices("train_dev")
    return held if len(held) else data.indices("dev")


def _some(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    if len(places) <= most:
        return places
    return np.sort(np.random.default_rng(0).choice(places, most, replace=False))


def _wrong(data: Prepared, known: NDArray[np.int64], asked: NDArray[np.int64]) -> int:
    from sklearn.neighbors import NearestNeighbors  # type: ignore[import-untyped]

    table, queries = _features(data, known), _features(data, asked)
    if data.inputs.ndim == 2:  # the columns of a table are of different units
        spread = table.std(axis=0)
        scale = np.where(spread > 0, spread, 1).astype(np.float32)
        table, queries = table / scale, queries / scale
    search = NearestNeighbors(n_neighbors=1).fit(table)
    nearest = search.kneighbors(queries, return_distance=False)[:, 0]
    targets = np.asarray(data.targets)
    return int((targets[known][nearest] != targets[asked]).sum())


def _features(data: Prepared, places: NDArray[np.int64]) -> NDArray[np.float32]:
    values = np.asarray(data.inputs[places], np.float32).reshape(len(places), -1)
    return np.nan_to_num(values)


def _answers(path: Path) -> list[dict[str, str]]:
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as CSV ({shown(error, 200)}); mend it, or export it anew"
        ) from error
    for column in COLUMNS:
        if column not in frame:
            raise DataError(
                f"{path} has no column {column!r}; {did_you_mean(column, list(frame.columns))}"
            )
    twice = frame.duplicated(["example_id", "annotator"])
    if twice.any():
        row = frame[twice].iloc[0]
        raise DataError(
            f"{path}: annotator {shown(row['annotator'])} answers "
            f"{shown(row['example_id'])} twice; keep one answer"
        )
    grouped = frame.groupby("example_id", sort=True)
    return [dict(zip(part["annotator"], part["label"], strict=True)) for _, part in grouped]


def _percent(found: Estimate) -> str:
    size = f"{100 * found.error:.1f} %"
    ends = found.interval
    return f"{size} ({100 * ends.low:.1f} to {100 * ends.high:.1f})" if ends else size
