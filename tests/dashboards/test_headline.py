"""The sentence at the top of *What next*."""

from dataclasses import replace

import numpy as np

from dashboards import headline
from gapwise.diagnostics import evidence, ladder
from gapwise.records import ALSO_IN_TRAIN, Predictions


def predictions(split: str, wrong: int) -> Predictions:
    error = (np.arange(1000) < wrong).astype(float)
    return Predictions(
        split=split,
        example_id=np.arange(1000).astype(str),
        target=np.zeros(1000, dtype=np.int64),
        predicted=error.astype(np.int64),
        error=error,
        weight=np.ones(1000),
        classes=("a", "b"),
    )


def test_a_combined_gap_is_spoken_of_in_the_plural() -> None:
    table = [predictions("train", 0), predictions("dev", 200)]
    found = ladder.diagnose(evidence.from_memory({"run": table}))
    assert found.verdict == "variance+data_mismatch"
    assert "together are your largest gap" in headline.headline(found).title


def test_a_fault_of_the_data_comes_before_every_gap() -> None:
    leaked = predictions("dev", 200)
    marks = np.where(np.arange(1000) < 100, "equal", "")
    leaked = replace(leaked, metadata={ALSO_IN_TRAIN: marks})
    found = ladder.diagnose(evidence.from_memory({"run": [predictions("train", 0), leaked]}))
    told = headline.headline(found)
    assert told.title == "# :red[First mend the data]: dev examples in train"
    assert "stand in train too" in told.below
