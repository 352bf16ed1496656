"""AUROC, rates and recognition of distances, against pairs counted one by one; intervals hold."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from gapwise.statistics.verification import Distances


def world(
    people: int, pictures: int, seed: int, spread: float = 0.6
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """People as points, their pictures around them, some people more scattered than others."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(people, 3))
    scatter = spread * random.gamma(2.0, 0.5, people)
    who = np.repeat(np.arange(people), pictures)
    points = centres[who] + scatter[who, None] * random.normal(size=(len(who), 3))
    return ((points[:, None] - points[None]) ** 2).sum(2), who


def counted(distances: NDArray[np.float64], who: NDArray[np.int64]) -> float:
    pairs = list(itertools.combinations(range(len(who)), 2))
    same = [distances[a, b] for a, b in pairs if who[a] == who[b]]
    other = [distances[a, b] for a, b in pairs if who[a] != who[b]]
    wins = sum((s < o) + 0.5 * (s == o) for s in same for o in other)
    return wins / (len(same) * len(other))


@pytest.mark.parametrize("digits", [1, 6])  # rounded, many are equal
def test_auroc_is_that_of_pairs_counted_one_by_one(digits: int) -> None:
    distances, who = world(4, 3, seed=1)
    distances = distances.round(digits)
    assert Distances(distances, who).auroc().value == pytest.approx(counted(distances, who))


def test_rates_are_shares_of_pairs() -> None:
    distances, who = world(5, 4, seed=2)
    accepts, rejects = Distances(distances, who).rates(1.5)
    pairs = list(itertools.combinations(range(len(who)), 2))
    other = [distances[a, b] <= 1.5 for a, b in pairs if who[a] != who[b]]
    same = [distances[a, b] > 1.5 for a, b in pairs if who[a] == who[b]]
    assert accepts.value == pytest.approx(np.mean(other))
    assert rejects.value == pytest.approx(np.mean(same))


def test_strangers_are_unknown_where_nobody_is_near() -> None:
    who = np.array([0, 0, 1, 1])
    points = np.array([0.0, 0.1, 5.0, 5.1])
    found = Distances((points[:, None] - points[None]) ** 2, who)
    recognised, named = found.identify(0.5)
    assert (recognised.value, named.value) == (1.0, 0.0)
    recognised, named = found.identify(30.0)
    assert (recognised.value, named.value) == (1.0, 1.0)
    recognised, named = found.identify(0.001)
    assert (recognised.value, named.value) == (0.0, 0.0)


def test_one_shot_is_chance_where_distances_say_nothing() -> None:
    random = np.random.default_rng(0)
    noise = random.random((60, 60))
    found = Distances(np.triu(noise, 1) + np.triu(noise, 1).T, np.repeat(np.arange(12), 5))
    assert found.one_shot(4).value == pytest.approx(0.25, abs=0.04)
    sure, who = world(12, 5, seed=3, spread=0.01)
    assert Distances(sure, who).one_shot(5).value == 1.0
    assert Distances(sure, who).one_shot(13) is None


def test_few_people_have_no_interval_and_one_person_no_auroc() -> None:
    distances, who = world(4, 3, seed=4)
    assert Distances(distances, who).auroc().interval is None
    assert Distances(distances[:3, :3], who[:3]).auroc() is None
    assert Distances(distances[::3, ::3], who[::3]).auroc() is None


def test_intervals_by_person_hold_the_truth() -> None:
    """90 worlds of 12 people, against the area over 400 people; asked: 95 %, held: 80 or more."""
    big, who = world(400, 4, seed=5)
    truth = Distances(big, who)
    same, other = truth._same, np.sort(truth._other)
    area = float((1 - np.searchsorted(other, same) / len(other)).mean())
    held = 0
    for seed in range(90):
        distances, people = world(12, 5, seed=100 + seed)
        interval = Distances(distances, people, seed=seed).auroc().interval
        held += interval.low <= area <= interval.high
    assert held >= 78
