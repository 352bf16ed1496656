"""A run under somebody's own loop: what it takes, and what it refuses in one sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gapwise
from gapwise.errors import DataError, GapwiseError, UsageError
from gapwise.ledger import human
from gapwise.ledger.ledger import Ledger
from gapwise.records import HumanLevel
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore

SCORES = [[0.9, 0.1], [0.2, 0.8]]
GOOD: dict[str, Any] = {"ids": ["a", "b"], "target": [0, 1], "scores": SCORES}


def stored(run_id: str, split: str = "dev") -> Any:
    path = RunStore(Settings.read()).open(run_id).predictions_path(split)
    assert path is not None
    return tables.read(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scores": [0.9, 0.1]}, r"scores have the shape \(2,\)"),
        ({"scores": SCORES[:1]}, r"scores have the shape \(1, 2\) for 2 ids"),
        ({"scores": [[1], [2, 3]]}, "scores is no array of numbers"),
        ({"scores": [["x", "y"]] * 2}, "scores is no array of numbers"),
        ({"target": [0]}, "target has 1 entries for 2 ids"),
        ({"target": [[0], [1]]}, "target has 2 dimensions"),
        ({"target": [0.5, 1.0]}, "target holds numbers with a decimal point"),
        ({"target": [0, 7]}, "target is 7"),
        ({"target": ["x", "y"]}, "target holds names"),
        ({"target": None}, "target is missing"),
        ({"predicted": [1]}, "predicted has 1 entries"),
        ({"error": 0.5}, "error has 0 dimensions"),
        ({"weight": 2.0}, "weight has 0 dimensions"),
        ({"weight": [0, 0]}, "weights of dev are all 0"),
        ({"weight": ["much", "x"]}, "weight is no array of numbers"),
        ({"scores": None}, "all missing"),
        ({"scores": None, "predicted": ["x", "y"]}, "one holds names and one integers"),
    ],
)
def test_what_is_no_prediction_is_told_in_one_sentence(
    home: Path, change: dict[str, Any], says: str
) -> None:
    with gapwise.run("own", dataset="d") as run:
        with pytest.raises(DataError, match=says) as caught:
            run.predictions("dev", **(GOOD | change))
        assert "\n" not in str(caught.value)
        run.predictions("dev", **GOOD)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"human": [0.05]}, "no HumanLevel"),
        ({"human": 5}, "human error 5.0 is no fraction"),
        ({"human": "0.05"}, "write 0.05 for 5 %"),
        ({"human": None}, "write 0.05 for 5 %"),
        ({"human": HumanLevel(error=0.1, n=0)}, "n 0"),
        ({"classes": ["a", "a"]}, "named twice"),
        ({"dataset": ""}, "dataset's name is empty"),
    ],
)
def test_a_bad_option_makes_no_run(home: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        gapwise.run("own", **({"dataset": "d"} | options))
    with pytest.raises(GapwiseError, match="experiment's name"):
        gapwise.run("", dataset="d")
    assert RunStore(Settings.read()).experiments() == []


def test_several_human_levels_are_one_statement(home: Path) -> None:
    levels = [HumanLevel(error=0.1, n=np.int64(50)), HumanLevel(error=0.2, n=400)]  # type: ignore[arg-type]
    with gapwise.run("own", dataset="d", human=levels) as run:
        run.predictions("train-dev", **GOOD)
    ledger = Ledger(Settings.read().ledger_url)
    assert (ledger.revision(), human.levels(ledger, "d")) == (1, levels)
    assert stored(run.run_id, "train_dev").split == "train_dev"


def test_names_without_classes_work_where_predicted_is_given(home: Path) -> None:
    with gapwise.run("own", dataset="d") as run:
        run.predictions("dev", ["a", "b"], ["cat", "horse"], predicted=["cat", "cat"])
        run.predictions("train", ["c", "d"], ["x", "y"], SCORES, predicted=["x", "x"])
    assert stored(run.run_id).error.tolist() == [0, 1]
    assert stored(run.run_id, "train").error.tolist() == [0, 1]
    assert gapwise.diagnose(run)["ladder"][-1]["error"] == 0.5


def test_values_that_are_no_classes_need_an_error(home: Path) -> None:
    with gapwise.run("own", dataset="d") as run:
        run.predictions("dev", ["a", "b"], [0.5, 1.5], error=[0.25, 0.75], camera=["x", "y"])
    found = stored(run.run_id)
    assert found.classes == ()
    assert found.error.tolist() == [0.25, 0.75]
    assert found.metadata["camera"].tolist() == ["x", "y"]


def test_class_names_are_looked_up(home: Path) -> None:
    with gapwise.run("own", dataset="d", classes=["dog", "cat"]) as run:
        run.predictions("dev", ["a", "b"], ["dog", "cat"], SCORES)
        with pytest.raises(DataError, match=r"row 2: target 'cta' is no class; did you mean cat"):
            run.predictions("train", ["a", "b"], ["dog", "cta"], SCORES)
    assert stored(run.run_id).target.tolist() == [0, 1]
