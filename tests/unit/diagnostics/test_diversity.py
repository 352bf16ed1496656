"""How few values, groups and ingredients make up many training examples."""

import numpy as np
import pytest

from gapwise import ingredients
from gapwise.diagnostics.diversity import diversity
from gapwise.diagnostics.shift import Side


def made(backgrounds: int, n: int = 20_000) -> Side:
    names_ = np.array([f"b{i % backgrounds}" for i in range(n)])
    return Side(n=n, features=None, columns={"background": names_})


def test_many_examples_of_few_backgrounds_are_little_diverse() -> None:
    dev = Side(
        n=100, features=None, columns={"background": np.array([f"d{i}" for i in range(100)])}
    )
    (found,) = diversity({"synthetic": made(40)}, dev)
    assert found.says == (
        "20,000 training examples of synthetic are built from 40 values of background, and 100 % "
        "of dev show others: a network can learn these by heart."
    )
    assert diversity({"synthetic": made(10_000)}, dev) == ()


def test_few_values_that_dev_shares_are_natural() -> None:
    dev = Side(n=100, features=None, columns={"background": np.array(["b1"] * 100)})
    assert diversity({"real": made(2)}, dev) == ()


def test_groups_count_by_their_number() -> None:
    group = np.repeat(np.arange(4), 500).astype(str)
    train = Side(n=2000, features=None, columns={}, group=group)
    (found,) = diversity({"s": train}, Side(n=1, features=None, columns={}))
    assert "built from 4 groups" in found.says


def mixed(clips: int, n: int = 1_000, kind: str = "noise") -> Side:
    """Return sounds with one of some clips under them, each of a speech of its own."""
    told = [
        ingredients.recipe([("speech", f"{kind}-s{i}"), (kind, f"{kind}-{i % clips}")])
        for i in range(n)
    ]
    return Side(n=n, features=None, columns={ingredients.COLUMN: np.array(told)})


def plain(n: int = 100) -> Side:
    return Side(n=n, features=None, columns={ingredients.COLUMN: np.full(n, "")})


def test_ingredients_are_counted_kind_by_kind() -> None:
    (found,) = diversity({"quiet~noise": mixed(5)}, mixed(100, kind="noise"))
    assert (found.column, found.distinct, found.n) == ("noise", 5, 1_000)
    assert found.unseen == pytest.approx(0.95)
    assert found.says == (
        "1,000 training examples of quiet~noise are built from 5 ingredients of the kind noise, "
        "and 95 % of dev show others: a network can learn these by heart."
    )
    assert diversity({"quiet~noise": mixed(200)}, mixed(100)) == ()  # five examples each
    assert diversity({"scenes": mixed(3)}, mixed(3)) == ()  # dev is made from the same three


@pytest.mark.parametrize("dev", [plain(), Side(n=9, features=None, columns={})])
def test_ingredients_count_where_dev_is_real(dev: Side) -> None:
    (found,) = diversity({"quiet~noise": mixed(1)}, dev)
    assert found.unseen is None
    assert "built from 1 ingredient of the kind noise: a network" in found.says


def test_recipes_are_read_as_they_were_written() -> None:
    told = ingredients.recipe([("speech", "a + b.wav"), ("noise", "x/1"), ("noise", "x/2")])
    both = ingredients.joined("", told, ingredients.recipe([("room", "hall")]))
    assert ingredients.by_kind(np.array([both, ""])) == {
        "speech": [{"a+b.wav"}],
        "noise": [{"x/1", "x/2"}],
        "room": [{"hall"}],
    }
