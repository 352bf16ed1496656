"""How well distances tell one person from two, with intervals by person.

Pictures of one person are no independent trials, and each person is in many pairs: intervals come
from resampling people (Efron and Tibshirani, 1993), a pair of two people counting as often as both
were drawn together.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.statistics.intervals import CONFIDENCE, Interval

DRAWS = 2000
LEAST_PEOPLE = 5
"""People below which there is no interval."""

EPISODES = 200
"""Episodes of one-shot recognition that each picture is asked in."""


@dataclass(frozen=True)
class Measured:
    """A share with its interval by person; None where there are too few people for one."""

    value: float
    interval: Interval | None


class Distances:
    """The distances of n pictures to one another, by person.

    Args:
        distances: (n, n), symmetric.
        people: (n,) int, whose picture each is.
        seed: of the draws of people and of episodes.
    """

    def __init__(
        self, distances: NDArray[np.floating], people: NDArray[np.int64], seed: int = 0
    ) -> None:
        known, self._who = np.unique(people, return_inverse=True)
        self.people = len(known)
        self._distances = np.asarray(distances, np.float64)
        upper = np.triu(np.ones_like(self._distances, dtype=bool), 1)
        ones, others = np.nonzero(upper)
        same = self._who[ones] == self._who[others]
        found = self._distances[ones, others]
        self._same, self._same_who = found[same], self._who[ones][same]
        self._other = found[~same]
        pair = np.sort(np.stack([self._who[ones], self._who[others]], 1)[~same], axis=1)
        self._other_who = (pair[:, 0], pair[:, 1])
        self._seed = seed

    @property
    def pairs(self) -> tuple[int, int]:
        """Pairs of one person, and pairs of two."""
        return len(self._same), len(self._other)

    def auroc(self) -> Measured | None:
        """Return the share of (pair of one person, pair of two) whose first is nearer.

        Equal distances count half. None where there is no pair of one kind.
        """
        if not len(self._same) or not len(self._other):
            return None
        wins = self._wins()
        sizes_same = np.bincount(self._same_who, minlength=self.people).astype(float)
        sizes_other = np.zeros((self.people, self.people))
        np.add.at(sizes_other, self._other_who, 1)

        def of(times: NDArray[np.int64]) -> float:
            together = np.triu(np.outer(times, times), 1)
            total = (times @ sizes_same) * (sizes_other * together).sum()
            return float(np.einsum("p,pqr,qr->", times, wins, together) / total)

        return Measured(of(np.ones(self.people, np.int64)), self._interval(of))

    def rates(self, threshold: float) -> tuple[Measured, Measured]:
        """Return the false-accept and the false-reject rate of a threshold."""
        accepted = (self._other <= threshold).astype(float)
        rejected = (self._same > threshold).astype(float)

        def accepts(times: NDArray[np.int64]) -> float:
            weight = times[self._other_who[0]] * times[self._other_who[1]]
            return float((weight * accepted).sum() / weight.sum())

        def rejects(times: NDArray[np.int64]) -> float:
            weight = times[self._same_who]
            return float((weight * rejected).sum() / weight.sum())

        return (
            Measured(float(accepted.mean()), self._interval(accepts)),
            Measured(float(rejected.mean()), self._interval(rejects)),
        )

    def identify(self, threshold: float) -> tuple[Measured, Measured] | None:
        """Return how often people are recognised, and how often strangers are taken for somebody.

        Each picture is asked of a gallery of all other pictures (1:K, notes 7.1): first with those
        of its own person, recognised where the nearest is one of them and at most ``threshold``
        away; then without, a stranger, who should be unknown. None where nobody has two pictures.
        """
        itself = np.eye(len(self._who), dtype=bool)
        same = (self._who[:, None] == self._who[None]) & ~itself
        asked = same.any(1)
        if not asked.any() or self.people < 2:
            return None
        own = np.where(same, self._distances, np.inf).min(1)
        stranger = np.where(same | itself, np.inf, self._distances).min(1)
        recognised = ((own < stranger) & (own <= threshold))[asked].astype(float)
        taken = (stranger <= threshold).astype(float)
        return self._by_picture(recognised, asked), self._by_picture(taken, np.ones_like(asked))

    def _by_picture(self, values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> Measured:
        who = self._who[chosen]

        def share(times: NDArray[np.int64]) -> float:
            weight = times[who]
            return float((weight * values).sum() / weight.sum())

        return Measured(float(values.mean()), self._interval(share))

    def one_shot(self, ways: int) -> Measured | None:
        """Return how often a picture is nearest to its own person's one picture among ``ways``.

        Each picture is asked in ``EPISODES`` episodes: one other picture of its person, one of each
        of ``ways`` − 1 others, drawn at random (notes 7.2). None where there are fewer people.
        """
        if self.people < ways:
            return None
        random = np.random.default_rng(self._seed)
        of_person = [np.flatnonzero(self._who == person) for person in range(self.people)]
        right = np.full(len(self._who), np.nan)
        for row, person in enumerate(self._who):
            own = of_person[person][of_person[person] != row]
            if not len(own):
                continue
            strangers = np.delete(np.arange(self.people), person)
            wins = 0
            for _ in range(EPISODES):
                chosen = random.choice(strangers, ways - 1, replace=False)
                shown = [random.choice(of_person[other]) for other in chosen]
                wins += self._distances[row, random.choice(own)] < self._distances[row, shown].min()
            right[row] = wins / EPISODES
        known = ~np.isnan(right)
        return self._by_picture(right[known], known) if known.any() else None

    def _wins(self) -> NDArray[np.float64]:
        """Return, for each person and pair of people, how often the person's pairs are nearer."""
        wins = np.zeros((self.people,) * 3)
        for first in range(self.people):
            for second in range(first + 1, self.people):
                mine = (self._other_who[0] == first) & (self._other_who[1] == second)
                order = np.sort(self._other[mine])
                near = (
                    len(order)
                    - (
                        np.searchsorted(order, self._same, "left")
                        + np.searchsorted(order, self._same, "right")
                    )
                    / 2
                )
                wins[:, first, second] = np.bincount(self._same_who, near, self.people)
        return wins

    def _interval(self, of: Callable[[NDArray[np.int64]], float]) -> Interval | None:
        """Return the interval of percentiles over people drawn anew."""
        if self.people < LEAST_PEOPLE:
            return None
        random = np.random.default_rng([self._seed, 1])
        even = np.full(self.people, 1 / self.people)
        values = []
        for _ in range(DRAWS):
            times = random.multinomial(self.people, even)
            with np.errstate(invalid="ignore", divide="ignore"):
                values.append(of(times))
        found = np.array(values)
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(found[np.isfinite(found)], [tail, 1 - tail])
        return Interval(float(low), float(high))
