"""`gapwise slices`: error by metadata and by picture properties, and where a network is weak."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data import prepared as prepared_data
from gapwise.data.properties import picture_properties
from gapwise.diagnostics import words
from gapwise.diagnostics.errors_by_split import group_keys
from gapwise.diagnostics.slice_columns import coded
from gapwise.diagnostics.slice_search import Examples
from gapwise.diagnostics.slices import Slice, by_value, named, weak
from gapwise.errors import GapwiseError
from gapwise.records import Predictions, plain
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import labelled, run_data
from gapwise.workflows.looking import count_looks
from gapwise.workflows.split_names import split_named

MOST_COLUMNS = 12


@dataclass(frozen=True, kw_only=True)
class Sliced:
    """What ``slices --json`` says.

    Attributes:
        run_id, split, n, error: what was sliced.
        columns: column → the error of each value, the highest first.
        weak: slices found on the eyeball half, those confirmed on the other half first.
        named: slices that were named beforehand.
        skipped: columns that tell nothing, or are beyond the most that is searched.
    """

    run_id: str
    split: str
    n: int
    error: float
    columns: Mapping[str, tuple[Slice, ...]]
    weak: tuple[Slice, ...]
    named: tuple[Slice, ...]
    skipped: tuple[str, ...]

    @property
    def says(self) -> str:
        """One sentence."""
        confirmed = [one for one in self.weak if one.confirmed]
        if not self.columns:
            return "There is no column to slice by: give the predictions metadata columns."
        if not confirmed:
            found = len(self.weak)
            tail = f"; {found} that stood out on one half were not confirmed" if found else ""
            return f"No slice of {words.of_rung(self.split)} is surely weak{tail}."
        worst = max(confirmed, key=lambda one: one.error or 0.0)
        span = words.span(worst.low, worst.high)
        count = f"{len(confirmed)} slices are" if len(confirmed) > 1 else "One slice is"
        return (
            f"{count} surely weak; the worst is {worst.name}: "
            f"{words.percent(worst.error or 0.0)}{span} of {worst.n:,} examples against "
            f"{words.percent(worst.rest or 0.0)} elsewhere."
        )

    def as_json(self) -> dict[str, Any]:
        """Return the document."""
        found: dict[str, Any] = plain(
            {
                "run_id": self.run_id,
                "split": self.split,
                "n": self.n,
                "error": self.error,
                "columns": {
                    name: [{"value": one.terms[0][1], **_ends(one)} for one in values]
                    for name, values in self.columns.items()
                },
                "weak": [_document(one) for one in self.weak],
                "named": [_document(one) for one in self.named],
                "skipped": list(self.skipped),
                "says": self.says,
            }
        )
        return found


def slice_run(
    ref: str,
    split: str = "dev",
    names: Sequence[str] = (),
    *,
    look: bool = True,
    settings: Settings | None = None,
) -> Sliced:
    """Return the error of a run by every column, and its weak slices.

    A look at test is counted, unless ``look`` says that it was counted before.

    Columns are source, class and metadata, and of pictures that were trained on here brightness,
    contrast, sharpness and colour.

    Raises:
        UsageError: there is no such run or split.
        DataError: the run has no such predictions, or a named slice is none.
    """
    settings = settings or Settings.read()
    split = split_named(split)
    run = RunStore(settings).open(ref)
    run.needed_predictions(split)
    if split == "test" and look:
        count_looks([run], settings)
    predictions = labelled.read(run, split, settings)
    given = columns_of(predictions) | pictures_of(run, predictions)
    examples = examples_of(predictions, given)
    whole = examples.part(np.full(len(predictions), fill_value=True))
    return Sliced(
        run_id=run.run_id,
        split=split,
        n=len(predictions),
        error=whole.rate if whole else 0.0,
        columns=by_value(examples),
        weak=weak(examples),
        named=named(examples, names),
        skipped=tuple(name for name in given if name not in examples.columns),
    )


def examples_of(predictions: Predictions, given: Mapping[str, NDArray[Any]]) -> Examples:
    """Return what is sliced: errors, and the first of the columns ``given`` that tell something."""
    wanted = dict(list(given.items())[:MOST_COLUMNS])
    cut = {name: coded(values) for name, values in wanted.items()}
    return Examples(
        error=predictions.error,
        weight=predictions.weight.astype(np.float64),
        group=group_keys(predictions.group),
        example_id=predictions.example_id,
        columns={name: one for name, one in cut.items() if one is not None},
    )


def columns_of(predictions: Predictions) -> dict[str, NDArray[Any]]:
    """Return what a table of predictions can be sliced by: source, class and metadata."""
    found: dict[str, NDArray[Any]] = {}
    if predictions.source is not None:
        found["source"] = predictions.source
    if (
        predictions.classes
        and predictions.target.ndim == 1
        and predictions.target.dtype.kind in "iu"
    ):
        found["class"] = np.array(predictions.classes)[predictions.target]
    return found | dict(predictions.metadata)


def pictures_of(run: StoredRun, predictions: Predictions) -> dict[str, NDArray[np.float64]]:
    """Return properties of the pictures that were predicted, where the run's data is at hand."""
    folder = run_data.folder_of(run)
    if folder is None:
        return {}
    try:
        data = prepared_data.open(folder)
    except GapwiseError:  # gone from the cache: metadata alone is sliced
        return {}
    if data.inputs.ndim != 4 or data.inputs.dtype != np.uint8:
        return {}
    places = {str(name): place for place, name in enumerate(data.ids)}
    rows = [places.get(str(name), -1) for name in predictions.example_id]
    if -1 in rows:
        return {}
    return picture_properties(np.asarray(data.inputs[np.array(rows)]))


def _ends(one: Slice) -> dict[str, Any]:
    return {"n": one.n, "error": one.error, "low": one.low, "high": one.high}


def _document(one: Slice) -> dict[str, Any]:
    return {"slice": one.name, **{key: v for key, v in asdict(one).items() if key != "terms"}}
