"""Numbers and names as people read them."""

import numpy as np
import pytest

from gapwise.figures import words
from gapwise.figures.confusion import confusion
from gapwise.figures.intervals import Estimate, intervals


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0.0 %"), (0.0004, "0.04 %"), (0.224, "22.4 %"), (1.0, "100.0 %"), (-0.02, "−2.0 %")],
)
def test_percent(value: float, said: str) -> None:
    assert words.percent(value) == said


def test_points_and_spans_carry_signs() -> None:
    assert words.points(0.041) == "+4.1"
    assert words.points(-0.006) == "−0.6"
    assert words.span(-0.02, 0.01) == "−2.0 – 1.0"
    assert words.span(None, 0.01) == ""


def test_counts_agree_with_their_noun() -> None:
    assert words.count(1, "seed") == "1 seed"
    assert words.count(1200, "example") == "1,200 examples"


@pytest.mark.parametrize("text", ["<b>x</b>", "a&lt;b", "<a href='http://x'>y</a>", "x\ny\x00"])
def test_b1_plotly_gets_no_markup(text: str) -> None:
    safe = words.plotly_text(text)
    assert "<" not in safe
    assert "\n" not in safe
    assert "\x00" not in safe


def test_b1_class_names_are_text_in_figures() -> None:
    name = "<img src=x onerror=alert(1)>"
    row = Estimate(label=name, error=0.1, low=0.0, high=0.2, n=5)
    assert "<img" not in confusion(np.array([[1, 2], [0, 1]]), [name, "b"]).to_json()
    assert "<img" not in intervals([row]).to_json()


def test_an_estimate_without_interval_shows_none() -> None:
    figure = intervals([Estimate(label="one", error=0.1, low=None, high=None, n=5)])
    assert "(" not in figure.layout.annotations[0].text
