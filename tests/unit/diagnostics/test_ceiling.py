"""Ceilings and blame by hand; and a true system of two steps, built to fail where it is told to."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from gapwise.diagnostics.ceiling import ceiling
from gapwise.diagnostics.steps import System
from gapwise.errors import DataError
from gapwise.statistics.intervals import wilson
from gapwise.statistics.paired import tango

SIDE = 20


def errors(wrong: range, n: int = 400) -> NDArray[np.float64]:
    return np.isin(np.arange(n), list(wrong)).astype(np.float64)


def gate(perfect_first: range, n: int = 400) -> System:
    """48 of 400 errors at the end, and which are left when the face is found by hand."""
    perfect = {("find",): errors(perfect_first, n)}
    return System(steps=("find", "name"), error=errors(range(48), n), perfect=perfect)


def test_the_chain_of_two_steps_by_hand() -> None:
    found = ceiling(gate(range(38, 48)))
    assert [s.error for s in found.settings] == pytest.approx([0.12, 0.025])
    assert [(g.step, g.after, g.implied) for g in found.gains] == [
        ("find", (), False),
        ("name", ("find",), True),
    ]
    assert [g.gain for g in found.gains] == pytest.approx([0.095, 0.025])
    bounds, left = tango(38, 0, 400), wilson(10, 400)
    assert (found.gains[0].low, found.gains[0].high) == pytest.approx((bounds.low, bounds.high))
    assert (found.gains[1].low, found.gains[1].high) == pytest.approx((left.low, left.high))
    assert (found.scheme, found.first, found.decided) == ("cumulative", "find", True)
    assert found.says[0].startswith("Work on find first: it can gain 9.5 points")


def test_a_perfect_step_that_changes_little_sends_to_the_next() -> None:
    assert ceiling(gate(range(4, 48))).first == "name"


def test_two_steps_alike_are_undecided() -> None:
    found = ceiling(gate(range(22, 48)))
    assert (found.first, found.decided) == ("undecided", False)
    assert "cannot be told from find" in found.says[0]


def test_the_published_chain_adds_up_to_the_error() -> None:
    """Ng's example: 85 % right, then 85.1, 91, 95, 96, 97 and 100 as steps become perfect."""
    steps = ("background", "face", "eyes", "nose", "mouth", "regression")
    left = [150, 149, 90, 50, 40, 30, 0]
    perfect = {steps[:k]: errors(range(left[k]), 1000) for k in range(1, 7)}
    found = ceiling(System(steps=steps, error=errors(range(150), 1000), perfect=perfect))
    assert [g.gain for g in found.gains] == pytest.approx([0.001, 0.059, 0.04, 0.01, 0.01, 0.03])
    assert sum(g.gain for g in found.gains) == pytest.approx(found.settings[0].error)
    assert (found.first, found.decided) == ("undecided", False)  # 5.9 against 4.0 points
    assert "from eyes" in found.says[0]


def test_steps_alone_are_each_measured_against_the_system() -> None:
    perfect = {("find",): errors(range(40, 48)), ("name",): errors(range(40))}
    found = ceiling(System(steps=("find", "name"), error=errors(range(48)), perfect=perfect))
    assert found.scheme == "alone"
    assert [(g.step, g.after, g.implied) for g in found.gains] == [
        ("find", (), False),
        ("name", (), False),
    ]
    assert [g.gain for g in found.gains] == pytest.approx([0.1, 0.02])
    assert found.first == "find"


def test_blame_goes_to_the_first_wrong_step() -> None:
    # 0–9 both wrong, 10–29 naming alone, 30–33 finding alone; ends wrong on 0–29 and 34.
    right = {
        "find": ~(errors(range(10)) + errors(range(30, 34))).astype(bool),
        "name": ~errors(range(30)).astype(bool),
    }
    end = errors(range(30)) + errors(range(34, 35))
    found = ceiling(System(steps=("find", "name"), error=end, right=right))
    assert [(b.step, b.count, b.forgiven) for b in found.blame] == [
        ("find", 10, 4),
        ("name", 20, 0),
        ("no step", 1, 0),
    ]
    assert sum(b.share for b in found.blame) == pytest.approx(1)
    assert sum(b.points for b in found.blame) == pytest.approx(found.settings[0].error)
    assert found.first == "undecided"
    assert "every step right" in found.says[1]


def test_a_perfect_step_that_makes_it_worse_is_said() -> None:
    found = ceiling(gate(range(80)))
    assert found.gains[0].gain == pytest.approx(-0.08)
    assert "With find perfect the end errs more, by 8.0 points" in " ".join(found.says)


def test_what_groups_share_is_one_piece_of_evidence() -> None:
    alone = gate(range(38, 48))
    four = np.repeat(np.arange(4), 100)  # all gains are of the first video
    found = ceiling(replace(alone, group=four))
    assert found.first == "undecided"
    assert found.gains[0].gain == pytest.approx(ceiling(alone).gains[0].gain)


@pytest.mark.parametrize(
    ("system", "first"),
    [
        (gate(range(0), n=1), "undecided"),
        (System(steps=("a", "b"), error=np.zeros(50), perfect={("a",): np.zeros(50)}), "none"),
        (System(steps=("a", "b"), error=np.ones(50), perfect={("a",): np.zeros(50)}), "a"),
        (System(steps=("a", "b"), error=np.full(50, 0.5), perfect={("a",): np.full(50, 0.2)}), ""),
    ],
)
def test_the_edges_survive(system: System, first: str) -> None:
    found = ceiling(system)
    assert not first or found.first == first
    assert found.as_json()["settings"]


def test_settings_that_do_not_belong_together_are_refused() -> None:
    odd = {("a",): np.zeros(9), ("b", "c"): np.zeros(9)}
    with pytest.raises(DataError, match="neither one step each nor"):
        ceiling(System(steps=("a", "b", "c"), error=np.ones(9), perfect=odd))
    with pytest.raises(DataError, match="nothing tells the steps apart"):
        ceiling(System(steps=("a", "b"), error=np.ones(9)))


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_gains_of_a_chain_always_add_up(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    steps = tuple("abcde"[:count])
    perfect = {steps[:k]: random.random(60).round() for k in range(1, count)}
    found = ceiling(System(steps=steps, error=random.random(60).round(), perfect=perfect))
    assert sum(g.gain for g in found.gains) == pytest.approx(found.settings[0].error)


class Reader:
    """Two real steps: find a digit on a noisy sheet by its ink, then read it."""

    def __init__(self, train: int, clutter: float) -> None:
        images, self.labels = load_digits(return_X_y=True)
        self.images = images.reshape(-1, 8, 8) / 16
        self.clutter = clutter
        self.reads = LogisticRegression(max_iter=500).fit(
            self.images[:train].reshape(train, 64), self.labels[:train]
        )

    def judge(self, rows: range) -> System:
        random = np.random.default_rng(0)
        at = random.integers(0, SIDE - 8 + 1, (len(rows), 2))
        sheets = self.clutter * random.random((len(rows), SIDE, SIDE))
        for sheet, (y, x), row in zip(sheets, at, rows, strict=True):
            sheet[y : y + 8, x : x + 8] += self.images[row]
        found = np.array([self._find(sheet) for sheet in sheets])
        end, perfect = (self._wrong(sheets, places, rows) for places in (found, at))
        right = {"find": np.abs(found - at).max(axis=1) <= 0}
        return System(steps=("find", "read"), error=end, perfect={("find",): perfect}, right=right)

    def _find(self, sheet: NDArray[np.float64]) -> tuple[int, int]:
        windows = np.lib.stride_tricks.sliding_window_view(sheet, (8, 8))
        ink = windows.sum(axis=(2, 3))
        y, x = np.unravel_index(ink.argmax(), ink.shape)
        return int(y), int(x)

    def _wrong(self, sheets: object, places: NDArray[np.int64], rows: range) -> NDArray[np.float64]:
        crops = [s[y : y + 8, x : x + 8] for s, (y, x) in zip(sheets, places, strict=True)]
        read = self.reads.predict(np.array(crops).reshape(len(rows), 64))
        return (read != self.labels[list(rows)]).astype(np.float64)


def test_a_poor_finder_is_named() -> None:
    """Finding by the most ink often misses by a pixel; the reader alone is good."""
    found = ceiling(Reader(train=1200, clutter=0.05).judge(range(1200, 1797)))
    assert found.first == "find"
    assert found.settings[1].error < 0.15
    assert found.blame[0].step == "find"
    assert found.blame[0].share > 0.5


def test_a_poor_reader_is_named() -> None:
    """A reader that saw 12 digits errs wherever the digit is found."""
    system = Reader(train=12, clutter=0.0).judge(range(1200, 1797))
    found = ceiling(system)
    assert found.first == "read"
    assert found.settings[1].error > 0.4
