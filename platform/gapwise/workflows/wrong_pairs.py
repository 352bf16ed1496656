"""The pairs that a verifier decides wrongly, for the example that somebody looks at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import GapwiseError
from gapwise.settings import Settings
from gapwise.workflows.trained_run import outputs_of
from gapwise.workflows.verification import MOST, open_verifier

SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The other picture of a pair: whose it is, and how far it is from the one looked at."""

    example_id: str
    label: str
    distance: float


@dataclass(frozen=True, kw_only=True)
class WrongPairs:
    """A split's pictures, and how far apart they are.

    Attributes:
        ids, people: (n,) str.
        distances: (n, n) float32.
        threshold: τ.
    """

    ids: NDArray[np.str_]
    people: NDArray[np.str_]
    distances: NDArray[np.float32]
    threshold: float

    def of(self, example_id: str) -> tuple[Sequence[Pair], Sequence[Pair]]:
        """Return pictures of the same person that are rejected, and of others that are accepted.

        The most wrong first; none where the example is not known.
        """
        places = np.flatnonzero(self.ids == example_id)
        if not len(places):
            return (), ()
        row = int(places[0])
        apart, own = self.distances[row], self.people == self.people[row]
        others = np.arange(len(self.ids)) != row
        rejected = np.flatnonzero(own & others & (apart > self.threshold))
        accepted = np.flatnonzero(~own & (apart <= self.threshold))
        return self._told(row, rejected, -apart), self._told(row, accepted, apart)

    def _told(
        self, row: int, places: NDArray[np.int64], key: NDArray[np.float32]
    ) -> tuple[Pair, ...]:
        return tuple(
            Pair(
                example_id=str(self.ids[place]),
                label=str(self.people[place]),
                distance=float(self.distances[row, place]),
            )
            for place in places[np.argsort(key[places], kind="stable")][:SHOWN]
        )


def wrong_pairs(run_ref: str, split: str, settings: Settings) -> WrongPairs | None:
    """Return what tells the wrong pairs of a split; None where the run does not verify."""
    try:
        trained, task = open_verifier(run_ref, settings)
        data = trained.prepared()
    except GapwiseError:
        return None
    rows = data.indices(split)[:MOST]
    outputs = outputs_of(trained, np.asarray(data.inputs[rows]))
    return WrongPairs(
        ids=data.ids[rows],
        people=np.array(data.classes)[data.targets[rows]],
        distances=task.distances(outputs, outputs).detach().float().numpy(),
        threshold=task.threshold,
    )
