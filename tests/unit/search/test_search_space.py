"""Spaces: each knob on its own scale (notes 3.14)."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gapwise.pipeline_search import Searched
from gapwise.search.space import read_space, told

SCALES = {
    "linear": Searched(low=-1.0, high=3.0),
    "log": Searched(scale="log", low=1e-4, high=1e-1),
    "one-minus-log": Searched(scale="one-minus-log", low=0.9, high=0.999),
    "integer": Searched(scale="integer", low=1, high=5),
    "power-of-two": Searched(scale="power-of-two", low=16, high=256),
    "choice": Searched(choices=("a", [1, 2], None)),
}
SPACE = read_space(SCALES)


@given(st.sampled_from(list(SCALES)), st.floats(0, 1))
def test_a_value_lies_where_it_was_drawn(key: str, at: float) -> None:
    knob = SPACE[key]
    value = knob.at(at)
    again = knob.at(knob.place(value))
    assert again == value or math.isclose(again, value, rel_tol=1e-3)
    if knob.scale is not None:
        assert knob.low <= value <= knob.high or math.isclose(value, knob.low, rel_tol=1e-3)


def test_beta_is_drawn_on_the_scale_of_the_notes() -> None:
    # notes 3.14: r in [-3, -1], β = 1 − 10^r: half of the draws are below and above 0.99
    knob = SPACE["one-minus-log"]
    assert [knob.at(at) for at in (0.0, 0.5, 1.0)] == pytest.approx([0.9, 0.99, 0.999])
    assert SPACE["log"].at(0.5) == pytest.approx(math.sqrt(1e-4 * 1e-1), rel=1e-3)


def test_counted_scales_give_every_value_the_same_room() -> None:
    places = (np.arange(1000) + 0.5) / 1000
    for key, values in (("integer", [1, 2, 3, 4, 5]), ("power-of-two", [16, 32, 64, 128, 256])):
        found, counts = np.unique([SPACE[key].at(at) for at in places], return_counts=True)
        assert found.tolist() == values
        assert counts.tolist() == [200] * 5


def test_ranges_go_on_beyond_their_ends() -> None:
    assert SPACE["log"].at(1.25) == pytest.approx(10 ** (-4 + 3 * 1.25), rel=1e-3)
    assert SPACE["one-minus-log"].at(1.5) < 1
    assert SPACE["power-of-two"].at(1.1) == 512
    assert SPACE["power-of-two"].at(-0.1) == 8


def test_knobs_with_conditions_come_after_what_they_depend_on() -> None:
    space = read_space(
        {
            "dropout": Searched(low=0.0, high=0.5, when={"norm": "none"}),
            "norm": Searched(choices=("none", "before")),
        }
    )
    assert space.keys == ("norm", "dropout")
    assert space.values({"norm": 0.25, "dropout": 0.5}) == {"norm": "none", "dropout": 0.25}
    assert space.values({"norm": 0.75, "dropout": 0.5}) == {"norm": "before"}


def test_conditions_that_lead_nowhere_are_refused() -> None:
    with pytest.raises(ValueError, match="depends on norm, which is not in the space"):
        read_space({"dropout": Searched(low=0.0, high=0.5, when={"norm": "none"})})
    circle = {
        "a": Searched(low=0.0, high=1.0, when={"b": 1}),
        "b": Searched(low=0.0, high=1.0, when={"a": 1}),
    }
    with pytest.raises(ValueError, match="conditions of a, b go round in a circle"):
        read_space(circle)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"low": 1.0}, "needs low and high, or choices"),
        ({"low": 2.0, "high": 1.0}, "low is 2, but must be below high, 1"),
        ({"scale": "log", "low": 0.0, "high": 1.0}, "a log scale begins above 0"),
        ({"scale": "one-minus-log", "low": 0.9, "high": 1.0}, "ends below 1"),
        ({"scale": "power-of-two", "low": 10.0, "high": 64.0}, "must be powers of two"),
        ({"scale": "integer", "low": 0.5, "high": 2.0}, "must be whole numbers"),
        ({"choices": (1,)}, "one choice alone"),
        ({"choices": (1, 2), "low": 1.0}, "both choices and a range"),
    ],
)
def test_ranges_that_are_none_are_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Searched(**values)  # type: ignore[arg-type]


def test_values_are_told_short() -> None:
    assert told({"name": "cosine"}) == "cosine"
    assert told(0.00123456) == "0.001235"
    assert told([32, 64]) == "[32, 64]"
    assert SPACE.point({"log": 0, "choice": "unknown"}) == {"choice": 0.5}
