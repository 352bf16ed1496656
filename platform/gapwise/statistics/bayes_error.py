"""Estimates of Bayes error where people are surpassed, or nobody was asked (notes 4.7, 4.8).

Neither is a measurement of it: people who answer alike can be wrong alike, and the nearest
neighbour's bound holds for infinitely many examples of these very features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gapwise.statistics.intervals import Clusters, Interval, clustered, wilson


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An estimate with its 95 % interval (None where nothing shows a spread) and its n."""

    error: float
    interval: Interval | None
    n: int


def nearest_neighbour_bound(wrong: int, n: int, classes: int) -> Estimate:
    """Return the lower bound of Bayes error that the 1-nearest-neighbour error implies.

    Cover and Hart (1967), "Nearest neighbor pattern classification", IEEE Trans. Inf. Theory 13:
    with K classes the error R of the rule is at most R* (2 − K/(K−1) R*) in the limit, hence
    R* ≥ (K−1)/K (1 − √(1 − K/(K−1) R)). R itself is the upper bound.

    Args:
        wrong: queries whose nearest neighbour is of another class.
        n: queries.
        classes: K, at least 2.

    Raises:
        ValueError: fewer than two classes, or no query.
    """
    if classes < 2 or n < 1:
        raise ValueError(f"{classes} classes and {n} queries give no bound")
    share = (classes - 1) / classes

    def bound(rate: float) -> float:
        return share * (1 - float(np.sqrt(max(0.0, 1 - rate / share))))

    ends = wilson(wrong, n)
    return Estimate(
        error=bound(wrong / n), interval=Interval(bound(ends.low), bound(ends.high)), n=n
    )


def annotator_error(answers: Sequence[Mapping[str, str]]) -> Estimate | None:
    """Return how often an annotator is not with the majority of the others.

    Args:
        answers: of each example annotator → label. Those with fewer than two answers tell nothing;
            each of the others counts once in n, however many answered. Where the others' vote is
            split, each of its winners counts in part.

    Returns:
        None where no example has two answers.
    """
    errors = [_alone(list(labels.values())) for labels in answers if len(labels) > 1]
    if not errors:
        return None
    totals = np.array(errors)
    interval = clustered(Clusters(totals, np.ones(len(totals))))
    return Estimate(error=float(totals.mean()), interval=interval, n=len(totals))


def _alone(labels: list[str]) -> float:
    """Return the mean over annotators of being against the majority of the others."""
    against = []
    for place, label in enumerate(labels):
        others = labels[:place] + labels[place + 1 :]
        counts = {name: others.count(name) for name in others}
        most = max(counts.values())
        winners = [name for name, count in counts.items() if count == most]
        against.append(1 - (label in winners) / len(winners))
    return sum(against) / len(against)
