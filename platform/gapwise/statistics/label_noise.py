"""How many labels are probably wrong, from the scores of a network that knows better.

Confident learning (Northcutt, Jiang, Chuang 2021) calls a network sure of a class where its score
reaches the mean score that examples labelled so get. Honest mistakes count there too, so the
mistakes that it is sure of are parted in two: an honest one confuses classes that look alike, and
the label keeps a fair score; a wrong label is as unlikely as any. Labels that people confuse as
networks do (4 and 9) look honest here: the share is a lower bound.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gapwise.statistics.intervals import wilson

HONEST: Final = 0.3
"""The most honest mistakes, of those that a network is sure of, whose label is unlikely.

Measured with 10 classes (docs/diagnosis.md): up to 0.28, where a network knows little.
"""
FEWEST_CLASSES: Final = 4
FEWEST_SURE: Final = 20
MOST_ERROR: Final = 0.45
"""A network that errs more often knows too little to dispute labels."""


@dataclass(frozen=True, kw_only=True)
class Disputed:
    """Labels that a network disputes.

    Attributes:
        n: labelled examples that were looked at.
        sure: mistakes that the network is sure of.
        unlikely: those among them whose label scores less than the mean of the classes that the
            network did not choose.
        of_random: the share of labels drawn at random that would be so.
    """

    n: int
    sure: int
    unlikely: int
    of_random: float

    def share(self, honest: float = HONEST) -> float:
        """Return what share of the labels is wrong, or more; 0 where the mistakes may be honest.

        Args:
            honest: the share of honest mistakes, of those that the network is sure of, whose label
                is unlikely. More must be so, at 97.5 %.
        """
        if not self.sure or self.of_random <= honest:
            return 0.0
        if wilson(self.unlikely, self.sure).low <= honest:
            return 0.0
        wrong = (self.unlikely / self.sure - honest) / (self.of_random - honest)
        return min(1.0, wrong) * self.sure / self.n


def honest_share(others: Iterable[Disputed]) -> float:
    """Return what share a network's honest mistakes have, from the splits beside the judged one.

    That of the split where it is least, since noise can only add to it; 30 % or more.
    """
    shares = [one.unlikely / one.sure for one in others if one.sure >= FEWEST_SURE]
    return max([HONEST, *([min(shares)] if shares else [])])


def disputed(scores: NDArray[np.floating], given: NDArray[np.integer]) -> Disputed | None:
    """Return how many given labels a network disputes; None where it cannot tell.

    Args:
        scores: (n, k) of every class, rows that are no probabilities are left out.
        given: (n,) positions of the labels in 0 … k − 1, negative where unknown.

    It cannot tell of fewer than four classes, nor where it errs on more than 45 %.
    """
    scores = np.asarray(scores, np.float64)
    k = scores.shape[1]
    known = np.isfinite(scores).all(axis=1) & (given >= 0) & (given < k)
    scores, given = scores[known], given[known]
    n = len(given)
    if n == 0 or k < FEWEST_CLASSES:
        return None
    top, own = scores.max(axis=1), scores[np.arange(n), given]
    chosen = scores.argmax(axis=1)
    wrong = chosen != given
    if wrong.mean() > MOST_ERROR:
        return None
    counts = np.bincount(given, minlength=k)
    means = np.bincount(given, own, k) / np.maximum(counts, 1)
    sure = wrong & (counts[chosen] > 0) & (top >= means[chosen])
    rest = (scores.sum(axis=1) - top) / (k - 1)
    right = ~wrong
    below = (scores[right] < rest[right, None]).sum(axis=1) / (k - 1)
    return Disputed(
        n=n,
        sure=int(sure.sum()),
        unlikely=int((sure & (own < rest)).sum()),
        of_random=float(below.mean()),
    )
