"""What an example looks like to a network: its nearest neighbours in feature space, with labels.

Features are what the last layer of the run's network sees; of a run that was trained elsewhere, its
scores. Searched are the example's own split and train, 20,000 examples of each at most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.error_table import in_order
from gapwise.diagnostics.parts import taken
from gapwise.errors import GapwiseError
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import labelled
from gapwise.workflows.features import features_of
from gapwise.workflows.trained_run import open_trained

MOST: Final = 20_000

_COLUMNS: Final = ("example_id", "target", "scores")


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """One example near another: ``closeness`` is the cosine of their features."""

    example_id: str
    label: str
    split: str
    closeness: float


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """Examples with their features.

    Attributes:
        ids: (n,).
        labels: (n,) class names, as they stand in the data.
        splits: (n,).
        features: (n, k) of length 1 each.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.str_]
    splits: NDArray[np.str_]
    features: NDArray[np.float32]

    def near(
        self,
        example_id: str,
        k: int = 8,
        labels: Mapping[str, str] | None = None,
        label: str | None = None,
    ) -> list[Neighbour]:
        """Return the ``k`` nearest of an example, itself left out; [] where it is not known.

        Args:
            example_id: whose.
            k: how many.
            labels: example → label for those that were reviewed.
            label: of this class alone, as the data came.
        """
        places = np.flatnonzero(self.ids == example_id)
        if not len(places):
            return []
        closeness = self.features @ self.features[places[0]]
        closeness[places] = -np.inf
        if label is not None:
            closeness[self.labels != label] = -np.inf
        best = np.argpartition(-closeness, min(k, len(closeness) - 1))[:k]
        known = labels or {}
        return [
            Neighbour(
                example_id=str(self.ids[row]),
                label=known.get(str(self.ids[row]), str(self.labels[row])),
                split=str(self.splits[row]),
                closeness=float(closeness[row]),
            )
            for row in best[np.argsort(-closeness[best])]
            if np.isfinite(closeness[row])
        ]


def neighbourhood(run: StoredRun, split: str, settings: Settings) -> Neighbourhood | None:
    """Return the examples of a split and of train with their features; None where none are known.

    Raises:
        DataError: the run has no predictions of the split.
    """
    names = [split, *(["train"] if split != "train" and "train" in run.splits() else [])]
    tables = [_some(labelled.read(run, name, settings, columns=_COLUMNS)) for name in names]
    if not tables[0].classes or tables[0].target.ndim > 1:
        return None
    features = _seen_by_network(run, tables, settings)
    if features is None:
        features = _scores(tables)
    if features is None:
        return None
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    classes = [np.array(table.classes)[table.target] for table in tables]
    return Neighbourhood(
        ids=np.concatenate([table.example_id for table in tables]),
        labels=np.concatenate(classes),
        splits=np.repeat(np.array(names), [len(table) for table in tables]),
        features=features / np.maximum(lengths, 1e-12),
    )


def _some(table: Predictions) -> Predictions:
    if len(table) <= MOST:
        return table
    return taken(table, in_order(table.example_id, np.arange(len(table)))[:MOST])


def _seen_by_network(
    run: StoredRun, tables: Sequence[Predictions], settings: Settings
) -> NDArray[np.float32] | None:
    try:
        trained = open_trained(run.run_id, settings)
        data = trained.prepared()
    except GapwiseError:
        return None
    places = {str(name): place for place, name in enumerate(data.ids)}
    ids = np.concatenate([table.example_id for table in tables])
    rows = np.array([places.get(str(name), -1) for name in ids])
    if (rows < 0).any():
        return None
    return features_of(trained.model, np.asarray(data.inputs[rows]))[0]


def _scores(tables: Sequence[Predictions]) -> NDArray[np.float32] | None:
    if any(table.scores is None for table in tables):
        return None
    known = [table.scores for table in tables if table.scores is not None]
    return np.concatenate(known)
