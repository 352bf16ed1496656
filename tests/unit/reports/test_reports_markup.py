"""What comes from data is text in every report; drawings are well-formed and to scale."""

import math
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapwise.records import Gap, Rung
from gapwise.reports import axis
from gapwise.reports.curves_svg import curves
from gapwise.reports.facts import Line
from gapwise.reports.ladder_svg import LEFT, RIGHT, ladder
from gapwise.reports.markup import joined, tag
from gapwise.reports.whisker_svg import WIDTH, whisker


class Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))), st.text(max_size=20))
def test_text_stays_text_and_attributes_stay_attributes(text: str, attribute: str) -> None:
    read = Read()
    read.feed(tag("p", text, joined(" ", text), title=attribute))
    read.close()
    assert [name for name, _ in read.tags] == ["p"]
    assert set(read.tags[0][1]) == {"title"}
    assert read.text == f"{text} {text}"


def test_control_characters_are_replaced() -> None:
    assert tag("p", "a\x00b\x1b[31m\ud800") == "<p>a\N{REPLACEMENT CHARACTER}b"\
        "\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}</p>"  # fmt: skip


@given(st.floats(0.001, 1.04))
def test_an_axis_has_a_few_round_marks(limit: float) -> None:
    marks = axis.ticks(limit)
    assert marks[0] == 0
    assert 2 <= len(marks) <= axis.MOST + 1
    assert marks[-1] <= limit * (1 + 1e-9)
    told = [axis.percent(mark, limit) for mark in marks]
    assert len(set(told)) == len(told)
    assert [float(text.removesuffix(" %")) / 100 for text in told] == pytest.approx(marks)


def rung(name: str, error: float, low: float | None = None, high: float | None = None) -> Rung:
    return Rung(rung=name, error=error, low=low, high=high, n=100)


def gap(name: str, size: float) -> Gap:
    return Gap(name=name, gap=size, low=None, high=None, is_high=False, probability_largest=0.5)


def test_the_ladder_is_to_scale_and_well_formed() -> None:
    rungs = [rung("train", 0.1), rung("train_dev", 0.3, 0.2, 0.4), rung("dev", 0.2)]
    gaps = [gap("bias", 0.1), gap("variance", 0.2), gap("data_mismatch", -0.1)]
    root = ET.fromstring(ladder(rungs, gaps))
    rects = [r for r in root.iter("rect") if float(r.get("width", 0)) > 0]
    per_point = (RIGHT - LEFT) / (0.4 * 1.04)
    assert float(rects[0].get("width", 0)) == pytest.approx(0.1 * per_point, abs=0.02)
    fallen = next(r for r in rects if r.get("stroke-dasharray"))
    assert float(fallen.get("x", 0)) == pytest.approx(LEFT + 0.2 * per_point, abs=0.02)
    assert float(fallen.get("width", 0)) == pytest.approx(0.1 * per_point, abs=0.02)
    assert "−10.0 data mismatch" in "".join(root.itertext())


@pytest.mark.parametrize("error", [0.0, 1.0])
def test_all_right_and_all_wrong_can_be_drawn(error: float) -> None:
    root = ET.fromstring(ladder([rung("dev", error)], [gap("bias", error)]))
    widths = [float(r.get("width", 0)) for r in root.iter("rect")]
    assert max([0.0, *widths]) == pytest.approx((RIGHT - LEFT) * error / 1.04, abs=0.02)
    drawn = ET.fromstring(whisker(rung("dev", error, error, error), max(error, 0.01)))
    (dot,) = drawn.iter("circle")
    assert float(dot.get("cx", 0)) == (WIDTH - 4 if error else 4)
    assert not [*ET.fromstring(whisker(None, 0.5)).iter("circle")]


def test_curves_leave_a_hole_where_a_value_is_no_number() -> None:
    line = Line(steps=[1, 2, 3, 4], values=[0.4, math.nan, 0.2, 0.1])
    root = ET.fromstring(curves({"dev": line}, best=3))
    (path,) = root.iter("path")
    assert path.get("d", "").count("M") == 2
    long = Line(steps=list(range(5000)), values=[0.1] * 5000)
    (path,) = ET.fromstring(curves({"dev": long})).iter("path")
    assert 300 < path.get("d", "").count("L") <= 401
