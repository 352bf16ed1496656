"""What two splits differ in, and what little a training source is built from."""

from typing import Any

import numpy as np
import pytest

from gapwise.diagnostics.shift import Side, names, numbers, told_apart


def side(n: int = 300, move: float = 0.0, seed: int = 0, **known: Any) -> Side:
    generator = np.random.default_rng(seed)
    features = generator.normal(0, 1, (n, 5)).astype(np.float32)
    features[:, 2] += move
    columns = {"brightness": generator.normal(move, 1, n)}
    return Side(n=n, features=features, columns=columns | known.pop("columns", {}), **known)


def test_alike_splits_are_not_told_apart_and_moved_ones_are() -> None:
    alike, moved = told_apart(side(), side(seed=1)), told_apart(side(), side(move=2.0, seed=1))
    assert alike is not None
    assert alike.low < 0.5 < alike.high
    assert moved is not None
    assert moved.low > 0.85


def test_shared_groups_are_not_learnt_by_heart() -> None:
    """Each group has a place of its own; both splits show all groups: nothing tells them apart."""
    generator = np.random.default_rng(0)
    places = generator.normal(0, 5, (20, 5)).astype(np.float32)
    sides = []
    for _ in range(2):
        group = np.repeat(np.arange(20), 15).astype(str)
        features = places[group.astype(int)] + generator.normal(0, 0.1, (300, 5))
        sides.append(Side(n=300, features=features.astype(np.float32), columns={}, group=group))
    found = told_apart(*sides)
    assert found is not None
    assert found.low < 0.5 < found.high


def test_without_features_or_with_few_examples_nothing_is_said() -> None:
    assert told_apart(side(), Side(n=300, features=None, columns={})) is None
    assert told_apart(side(6), side()) is None


def test_numbers_differ_by_their_mean_with_an_interval() -> None:
    (found,) = numbers(side(), side(move=1.0, seed=1))
    assert found.column == "brightness"
    assert found.low < 1.0 < found.high
    assert found.in_deviations == pytest.approx(1.0, abs=0.2)


def test_groups_widen_the_interval_and_one_group_has_none() -> None:
    alone = numbers(side(), side(seed=1))[0]
    group = np.repeat(np.arange(30), 10).astype(str)
    wide = np.repeat(np.random.default_rng(0).normal(0, 1, 30), 10)
    grouped = Side(n=300, features=None, columns={"brightness": wide}, group=group)
    found = numbers(grouped, side(seed=1))[0]
    assert found.high - found.low > 1.5 * (alone.high - alone.low)
    single = Side(n=300, features=None, columns={"brightness": wide}, group=np.full(300, "g"))
    assert numbers(single, side(seed=1))[0].low is None


@pytest.mark.parametrize("values", [np.full(300, np.nan), np.zeros(300)])
def test_columns_that_tell_nothing_are_survived(values: Any) -> None:
    plain = side(columns={"brightness": values})
    assert all(np.isfinite(one.in_deviations) for one in numbers(plain, side(seed=1)))


def test_names_are_apart_by_their_shares() -> None:
    before = side(columns={"light": np.array(["day"] * 290 + ["dusk"] * 10)})
    after = side(columns={"light": np.array(["day"] * 150 + ["night"] * 150)})
    (found,) = names(before, after)
    assert found.apart == pytest.approx(0.5)
    assert found.unseen == 0.5
    assert found.most == ("night", 0.0, 0.5)
