"""Weak slices: planted ones are found and confirmed, and none is where there is none."""

from typing import Any

import numpy as np
import pytest

from gapwise.diagnostics.slice_columns import coded
from gapwise.diagnostics.slice_search import Examples, halves
from gapwise.diagnostics.slices import by_value, named, weak
from gapwise.errors import DataError


def examples(error: Any, group: Any = None, weight: Any = None, **columns: Any) -> Examples:
    n = len(error)
    cut = {name: coded(np.asarray(values)) for name, values in columns.items()}
    return Examples(
        error=np.asarray(error, float),
        weight=np.ones(n) if weight is None else weight,
        group=group,
        example_id=np.array([f"e{i}" for i in range(n)]),
        columns={name: one for name, one in cut.items() if one is not None},
    )


def columns(random: np.random.Generator, n: int) -> dict[str, Any]:
    return {
        "lens": random.choice(["wide", "tele"], n),
        "light": random.choice(["day", "dusk", "night"], n),
        "size": random.normal(size=n),
    }


def test_a_planted_conjunction_is_found_and_confirmed_and_not_its_parts_alone() -> None:
    random = np.random.default_rng(0)
    given = columns(random, 4000)
    planted = (given["lens"] == "tele") & (given["light"] == "night")
    error = random.random(4000) < np.where(planted, 0.5, 0.1)
    found = [one for one in weak(examples(error, **given)) if one.confirmed]
    assert found[0].name == "lens=tele & light=night"
    assert 0.4 < (found[0].error or 0) < 0.6
    assert found[0].low is not None
    assert found[0].low < 0.5 < (found[0].high or 0)
    assert found[0].rest is not None
    assert found[0].rest < 0.2
    eyeball = halves(examples(error, **given))
    assert found[0].n == int((planted & ~eyeball).sum())
    assert found[0].seen_n == int((planted & eyeball).sum())


def test_where_nothing_is_weak_hardly_anything_is_confirmed() -> None:
    confirmed = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        error = random.random(1500) < 0.15
        confirmed += any(one.confirmed for one in weak(examples(error, **columns(random, 1500))))
    assert confirmed <= 5  # 5 % are allowed; Benjamini and Yekutieli are careful


def test_groups_stay_in_one_half_and_are_no_independent_evidence() -> None:
    random = np.random.default_rng(1)
    group = np.repeat(np.arange(40).astype(str), 50)
    lens = np.array(["wide", "tele"] * 20)
    person = random.random(40) < np.where(lens == "tele", 0.4, 0.2)
    error = np.repeat(person, 50).astype(float)  # a whole person fails or does not
    given = {"lens": np.repeat(lens, 50)}
    grouped = examples(error, group=group, **given)
    eyeball = halves(grouped)
    assert all(len(set(eyeball[group == name])) == 1 for name in np.unique(group))
    alone = named(examples(error, **given), ["lens=tele", "lens=wide"])
    together = named(grouped, ["lens=tele", "lens=wide"])
    assert min(one.p_value for one in together) > min(one.p_value for one in alone)  # type: ignore[type-var]


def test_every_value_has_its_error_and_numbers_are_cut_into_eighths() -> None:
    n = 800
    error = np.arange(n) >= 700
    found = by_value(examples(error, size=np.arange(n) / 1.0, lens=["wide"] * 400 + ["tele"] * 400))
    assert [one.name for one in found["lens"]] == ["lens=tele", "lens=wide"]
    assert len(found["size"]) == 8
    assert found["size"][0].error == 1.0
    assert sum(one.n for one in found["size"]) == n


def test_columns_that_tell_nothing_are_left_out() -> None:
    assert coded(np.array(["same"] * 10)) is None
    assert coded(np.array([f"id{i}" for i in range(500)])) is None
    assert coded(np.array([np.nan] * 20 + [1.0])) is not None
    many = coded(np.array([f"v{i % 80}" for i in range(4000)]))
    assert many is not None
    assert len(many.names) == 50
    assert (many.codes == -1).any()


@pytest.mark.parametrize("error", [[0] * 60, [1] * 60, [0.25] * 60, [1]])
def test_all_right_all_wrong_and_one_example_do_not_fail(error: list[float]) -> None:
    given = {"lens": (["wide", "tele"] * 30)[: len(error)]}
    one = examples(error, **given)
    assert weak(one) == ()
    for slices in by_value(one).values():
        assert all(0 <= (s.error or 0) <= 1 for s in slices)


def test_a_named_slice_is_tested_against_the_rest_without_discovery() -> None:
    random = np.random.default_rng(2)
    given = columns(random, 1000)
    error = random.random(1000) < np.where(given["light"] == "night", 0.4, 0.1)
    night, dusk = named(examples(error, **given), ["light=night", "light = dusk & lens=wide"])
    assert night.confirmed
    assert not dusk.confirmed
    assert dusk.terms == (("light", "dusk"), ("lens", "wide"))
    for text, says in (
        ("light", "cannot be read"),
        ("ligt=night", "did you mean light"),
        ("light=nite", "did you mean night"),
    ):
        with pytest.raises(DataError, match=says):
            named(examples(error, **given), [text])
