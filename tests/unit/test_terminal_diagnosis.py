"""A diagnosis as a terminal shows it."""

from typing import Any

import numpy as np
import pytest

from gapwise.diagnostics.evidence import from_memory
from gapwise.diagnostics.ladder import diagnose
from gapwise.records import HumanLevel, Predictions
from gapwise.terminal.diagnosis import show_diagnosis


def predictions(split: str, wrong: int, n: int, **columns: Any) -> Predictions:
    return Predictions(
        split=split,
        example_id=np.array([f"{split}-{i}" for i in range(n)]),
        target=np.zeros(n, np.int64),
        predicted=np.zeros(n, np.int64),
        error=(np.arange(n) < wrong).astype(float),
        weight=np.ones(n),
        **columns,
    )


def printed(capsys: pytest.CaptureFixture[str], *splits: Predictions, **known: Any) -> str:
    show_diagnosis(diagnose(from_memory({"r": splits}, **known)).as_json())
    return " ".join(capsys.readouterr().out.split())


def of(source: str, n: int) -> np.ndarray:
    return np.full(n, source)


def test_the_table_of_4_14_stands_below_the_ladder(capsys: pytest.CaptureFixture[str]) -> None:
    mixed = np.r_[of("phone", 40), of("web", 60)]
    text = printed(
        capsys,
        predictions("train", 10, 100, source=mixed),
        predictions("train_dev", 5, 50, source=of("web", 50)),
        predictions("dev", 25, 100, source=of("phone", 100)),
    )
    assert "Error of General Target" in text
    assert "trained on 0.0 % (0.0 – 6.0), n 60 25.0 % (14.2 – 40.2), n 40" in text
    assert "people – –" in text


def test_a_table_that_is_the_ladder_again_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    rungs = (
        predictions("train", 1, 100, source=of("web", 100)),
        predictions("train_dev", 5, 50, source=of("web", 50)),
        predictions("dev", 25, 100, source=of("phone", 100)),
    )
    assert "General" not in printed(capsys, *rungs)
    assert "General" not in printed(capsys, *rungs, same_distribution=True)
    measured = HumanLevel(error=0.1, n=100, distribution="target")
    assert "people – 10.0 %" in printed(capsys, *rungs, human=(measured,))


def test_an_undecided_ladder_without_a_number_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(
        capsys,
        predictions("train", 20, 100),
        predictions("dev", 20, 100, group=of("one", 100)),
        human=(HumanLevel(error=0.19),),
    )
    assert "Undecided; all examples of dev are of one group" in text


def test_a_combined_verdict_is_many(capsys: pytest.CaptureFixture[str]) -> None:
    splits = predictions("train", 20, 2000), predictions("dev", 300, 2000)
    text = printed(capsys, *splits, human=(HumanLevel(error=0.0),))
    assert "Variance and data mismatch together are the largest gap" in text
