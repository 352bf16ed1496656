"""`gapwise mismatch`: how dev differs from the training distribution, beside its error."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise.data.images import BadImageError, Limits, read_bytes, read_header
from gapwise.diagnostics import shift
from gapwise.diagnostics.diversity import Diversity, diversity
from gapwise.diagnostics.parts import taken
from gapwise.diagnostics.shift import NameShift, NumberShift, Side
from gapwise.errors import DataError, GapwiseError
from gapwise.records import ALSO_IN_TRAIN, Predictions, plain
from gapwise.settings import Settings
from gapwise.statistics.auc import Auc
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import labelled
from gapwise.workflows.features import features_of
from gapwise.workflows.slices import columns_of, pictures_of
from gapwise.workflows.trained_run import TrainedRun, open_trained

MOST: Final = 2_000
"""Examples of a split that are looked at, drawn evenly."""

BATCH: Final = 256
APART: Final = 0.25
"""Total variation from which on a column of names is told."""

CHANCE: Final = 0.5
EASY: Final = 0.6
"""An area below which a network's features hardly tell two splits apart."""


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """What ``mismatch --json`` says.

    Attributes:
        run_id: the run whose splits and features these are.
        before: the split that stands for the training distribution: train-dev, else train.
        n_before, n_after: examples looked at.
        features: what the classifier saw; "" where nothing is at hand.
        told_apart: how well it tells dev from it; None where it cannot be tried.
        numbers, names: columns that differ, the most different first.
        diversity: training sources that repeat few values.
    """

    run_id: str
    before: str
    n_before: int
    n_after: int
    features: str
    told_apart: Auc | None
    numbers: tuple[NumberShift, ...]
    names: tuple[NameShift, ...]
    diversity: tuple[Diversity, ...]

    @property
    def says(self) -> list[str]:
        """What matters, a sentence each."""
        found = []
        name = self.before.replace("_", "-")
        if self.told_apart is not None:
            area = self.told_apart
            often = "too few examples to tell whether they differ there"
            if area.high < EASY:
                often = "they hardly differ there"
            elif area.low > CHANCE:
                often = "they differ in what the network sees"
            found.append(
                f"By {self.features}, a classifier ranks a dev example above one of {name} in "
                f"{100 * area.area:.1f} % of pairs ({100 * area.low:.1f} to "
                f"{100 * area.high:.1f}; 50 is chance): {often}."
            )
        for one in self.numbers[:3]:
            sure = one.low is not None and one.high is not None and one.low * one.high > 0
            if sure and abs(one.in_deviations) >= 0.2:
                more = "higher" if one.difference > 0 else "lower"
                found.append(
                    f"{one.column} is {more} in dev by {abs(one.in_deviations):.1f} deviations "
                    f"({one.before:.3g} in {name}, {one.after:.3g} in dev)."
                )
        for other in self.names:
            if other.apart >= APART:
                value, first, second = other.most
                found.append(
                    f"{other.column} differs: {value or 'none'} is {100 * first:.1f} % of {name} "
                    f"and {100 * second:.1f} % of dev."
                )
        return [*found, *(one.says for one in self.diversity)]

    def as_json(self) -> dict[str, Any]:
        """Return the document."""
        document: dict[str, Any] = plain(asdict(self))
        return document | {"says": self.says}


def mismatch_run(ref: str, *, settings: Settings | None = None) -> Mismatch:
    """Compare a run's dev with its train-dev, or with train where there is none.

    Raises:
        UsageError: there is no such run.
        DataError: it has no predictions of dev, or of neither train-dev nor train.
    """
    settings = settings or Settings.read()
    run = RunStore(settings).open(ref)
    before = "train_dev" if "train_dev" in run.splits() else "train"
    trained = _trained(run, settings)
    sides, features = {}, ""
    for split in (before, "dev"):
        table = labelled.read(run, split, settings)
        if not len(table):
            raise DataError(
                f"run {run.run_id} ({run.name}): {split} holds no example to compare; name a run "
                "with one"
            )
        sides[split], features = _side(run, trained, _some(table))
    first, dev = sides[before], sides["dev"]
    return Mismatch(
        run_id=run.run_id,
        before=before,
        n_before=first.n,
        n_after=dev.n,
        features=features,
        told_apart=shift.told_apart(first, dev),
        numbers=shift.numbers(first, dev),
        names=shift.names(first, dev),
        diversity=_diversity(run, dev, settings),
    )


def _trained(run: StoredRun, settings: Settings) -> TrainedRun | None:
    """Return the run's network with its data, None where either is not at hand."""
    try:
        trained = open_trained(run.run_id, settings)
        trained.prepared()
    except GapwiseError:
        return None
    return trained


def _some(table: Predictions) -> Predictions:
    if len(table) <= MOST:
        return table
    return taken(table, np.sort(np.random.default_rng(0).permutation(len(table))[:MOST]))


def _side(run: StoredRun, trained: TrainedRun | None, table: Predictions) -> tuple[Side, str]:
    columns = columns_of(table) | pictures_of(run, table) | _sizes(run, table)
    columns.pop(ALSO_IN_TRAIN, None)  # a leak, told by a finding of its own
    features, named = None, ""
    if trained is not None:
        data = trained.prepared()
        places = {str(name): place for place, name in enumerate(data.ids)}
        rows = np.array([places.get(str(name), -1) for name in table.example_id])
        if (rows >= 0).all():
            inputs = np.asarray(data.inputs[rows])
            features, named = features_of(trained.model, inputs)
    return Side(n=len(table), features=features, columns=columns, group=table.group), named


def _sizes(run: StoredRun, table: Predictions) -> dict[str, NDArray[Any]]:
    """Return width × height in pixels and the aspect of the files, where all can be read."""
    if table.media is None:
        return {}
    path = run.predictions_path(table.split)
    root = Path(tables.read_media_root(path)) if path else Path()
    try:
        headers = [read_header(read_bytes(root / name), Limits()) for name in table.media]
    except BadImageError:
        return {}
    height = np.array([header.height for header in headers], np.float64)
    width = np.array([header.width for header in headers], np.float64)
    return {"pixels": width * height, "aspect": width / height}


def _diversity(run: StoredRun, dev: Side, settings: Settings) -> tuple[Diversity, ...]:
    if "train" not in run.splits():
        return ()
    table = labelled.read(run, "train", settings)
    if table.source is None:
        return ()
    known = {k: v for k, v in columns_of(table).items() if k not in ("source", "class")}
    sides = {}
    for source in np.unique(table.source):
        rows = table.source == source
        sides[str(source)] = Side(
            n=int(rows.sum()),
            features=None,
            columns={name: column[rows] for name, column in known.items()},
            group=None if table.group is None else table.group[rows],
        )
    return diversity(sides, dev)
