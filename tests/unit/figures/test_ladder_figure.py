"""The ladder's picture says what the ladder holds."""

import pytest

from gapwise.figures import palette
from gapwise.figures.ladder import ladder
from gapwise.records import Gap, Rung


def rung(name: str, error: float, spread: float = 0.01) -> Rung:
    return Rung(rung=name, error=error, low=max(0, error - spread), high=error + spread, n=100)


def gap(name: str, size: float) -> Gap:
    return Gap(
        name=name, gap=size, low=size - 0.01, high=size + 0.01, is_high=True,
        probability_largest=1.0, probability_high=1.0,
    )  # fmt: skip


def bars(figure: object) -> list[tuple[float, float, str]]:
    found = [trace for trace in figure.data if trace.type == "bar"]  # type: ignore[attr-defined]
    return [((t.base or (0,))[0], t.x[0], t.marker.color) for t in found]


def texts(figure: object) -> list[str]:
    return [note.text for note in figure.layout.annotations]  # type: ignore[attr-defined]


def test_each_gap_has_its_colour_and_stands_on_the_rung_before() -> None:
    rungs = [rung("human", 0.01), rung("train", 0.03), rung("train_dev", 0.08), rung("dev", 0.2)]
    gaps = [gap("avoidable_bias", 0.02), gap("variance", 0.05), gap("data_mismatch", 0.12)]
    coloured = [bar for bar in bars(ladder(rungs, gaps)) if bar[2] != palette.STEEL]
    assert [(base, color) for base, _, color in coloured] == [
        (0.01, palette.BLUE),
        (0.03, palette.AMBER),
        (0.08, palette.RED),
    ]
    assert [x for _, x, _ in coloured] == pytest.approx([0.02, 0.05, 0.12])


def test_without_a_human_level_it_says_so() -> None:
    figure = ladder([rung("train", 0.03)], [gap("bias", 0.03)])
    assert any("not measured" in text for text in texts(figure))
    assert any("+3.0 bias (2.0 – 4.0)" in text for text in texts(figure))


def test_a_gap_across_a_missing_rung_ends_where_its_last_part_does() -> None:
    rungs = [rung("human", 0.01), rung("train_dev", 0.08), rung("dev", 0.1)]
    figure = ladder(rungs, [gap("avoidable_bias+variance", 0.07), gap("data_mismatch", 0.02)])
    assert any("avoidable bias + variance" in text for text in texts(figure))


def test_a_negative_gap_is_drawn_and_said() -> None:
    rungs = [rung("human", 0.1), rung("train", 0.04)]
    figure = ladder(rungs, [gap("avoidable_bias", -0.06)])
    assert any("−6.0 avoidable bias" in text for text in texts(figure))
    assert any(trace.type == "bar" and trace.marker.pattern.shape for trace in figure.data)


def test_the_test_rung_stays_hidden_until_shown() -> None:
    hidden = ladder([rung("train", 0.1)], [gap("bias", 0.1)], hidden="shown on request")
    assert any("shown on request" in text for text in texts(hidden))


def test_b1_text_from_data_cannot_become_markup() -> None:
    bare = Rung(rung="train", error=0.5, low=None, high=None, n=3, why="<a href='x'>one</a> group")
    drawn = ladder([bare], [gap("bias", 0.5)]).to_json()
    assert "<a href" not in drawn
