"""Who judges and was trained on is marked once, when data is prepared."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapwise.data import leaks, prepared
from gapwise.data.assignment import Assignment, digest_of
from gapwise.records import ALSO_IN_TRAIN, ExampleSet


def pictures(n: int = 30) -> ExampleSet:
    """Smooth pictures that differ."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (n, 1, 4, 4))
    return ExampleSet(
        name="made",
        inputs=np.kron(coarse, np.ones((1, 1, 8, 8))).astype(np.uint8),
        targets=np.arange(n) % 2,
        classes=("a", "b"),
        ids=np.array([f"e{i}" for i in range(n)]),
        sources=np.full(n, "s"),
    )


def drawn(examples: ExampleSet) -> Assignment:
    split = np.array((["train"] * 20 + ["dev"] * 6 + ["test"] * 4)[: len(examples)])
    return Assignment(split=split, cuts={}, digest=digest_of(examples.ids, split))


def changed(inputs: NDArray) -> NDArray:
    """Dev 20 is train 0, dev 21 is nearly train 1, and test 26 is dev 25."""
    inputs = inputs.copy()
    inputs[20] = inputs[0]
    inputs[21] = np.clip(inputs[1].astype(int) + 2, 0, 255)
    inputs[26] = inputs[25]
    return inputs


def test_equal_and_nearly_equal_ones_are_marked(tmp_path: Path) -> None:
    examples = pictures()
    examples = ExampleSet(**(vars(examples) | {"inputs": changed(examples.inputs)}))
    data = prepared.write(tmp_path / "p", examples, drawn(examples))
    marks = data.metadata[ALSO_IN_TRAIN]
    assert {i: str(m) for i, m in enumerate(marks) if m} == {20: "equal", 21: "nearly"}
    again = prepared.write(tmp_path / "q", examples, drawn(examples))
    assert again.digest == data.digest


def test_nothing_is_added_where_none_is() -> None:
    examples = pictures()
    assert leaks.marked(examples, drawn(examples)) is examples


def test_rows_have_no_look_alikes_but_equals() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(30, 3)).astype(np.float32)
    rows[29] = rows[3]
    examples = ExampleSet(**(vars(pictures()) | {"inputs": rows, "feature_names": ("x", "y", "z")}))
    marks = leaks.marked(examples, drawn(examples)).metadata[ALSO_IN_TRAIN]
    assert {i: str(m) for i, m in enumerate(marks) if m} == {29: "equal"}


def test_what_was_not_looked_at_is_unknown(monkeypatch) -> None:
    monkeypatch.setattr(leaks, "MOST_COMPARISONS", 20 * 5)
    examples = pictures()
    examples = ExampleSet(**(vars(examples) | {"inputs": changed(examples.inputs)}))
    marks = leaks.marked(examples, drawn(examples)).metadata[ALSO_IN_TRAIN]
    assert set(marks[:20]) == {""}
    assert (marks[20:] == "unknown").sum() == 5
    assert marks[20] == "equal"
