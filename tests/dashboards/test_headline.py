"""The sentence at the top of *What next*."""

import numpy as np

from dashboards import headline
from gapwise.diagnostics import evidence, ladder
from gapwise.records import Predictions


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
