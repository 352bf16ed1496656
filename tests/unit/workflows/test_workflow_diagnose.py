"""Which runs are diagnosed together, and what a run without predictions is told."""

from pathlib import Path

import numpy as np
import pytest

from gapwise.errors import DataError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.session import Session
from gapwise.workflows.train import train

QUICK = ["network=multilayer-perceptron", "training.epochs=1", "training.device=cpu"]


def recorded(experiment: str, *, predict: bool = True) -> str:
    with Session(experiment, dataset="own") as run:
        if predict:
            for split in ("train", "dev"):
                ids = [f"{split}-{i}" for i in range(20)]
                run.predictions(split, ids, np.arange(20) % 2, predicted=np.zeros(20, int))
    return run.run_id


def test_runs_that_differ_in_a_knob_are_not_averaged(home: Path) -> None:
    first = train("digits", QUICK).run_ids[0]
    other = train("digits", [*QUICK, "training.batch_size=64", "seed=3"]).run_ids[0]
    with pytest.raises(DataError, match=r"training\.batch_size.*32.*64.*one by one") as told:
        diagnose_runs([first, other])
    assert "seed:" not in str(told.value)
    again = train("digits", [*QUICK, "seed=3", "description=again"]).run_ids[0]
    assert diagnose_runs([first, again]).run_id == first


def test_a_trained_and_a_recorded_run_are_not_averaged(home: Path) -> None:
    first = train("digits", QUICK).run_ids[0]
    with Session("digits", dataset=RunStore(Settings.read()).open(first).dataset) as run:
        run.predictions("dev", ["a", "b"], [0, 1], predicted=[0, 0])
    with pytest.raises(DataError, match=rf"{run.run_id} has no pipeline"):
        diagnose_runs([first, run.run_id])


def test_recorded_runs_of_one_experiment_are_seeds(home: Path) -> None:
    first, second = recorded("mine"), recorded("mine")
    assert diagnose_runs([first, second]).run_id == first


def test_recorded_runs_of_two_experiments_are_not_averaged(home: Path) -> None:
    first, second = recorded("mine"), recorded("yours")
    with pytest.raises(DataError, match=r"experiments \(mine, yours\).*one by one"):
        diagnose_runs([first, second])


def test_a_recorded_run_without_predictions_is_not_to_be_resumed(home: Path) -> None:
    run_id = recorded("mine", predict=False)
    with pytest.raises(DataError, match=r"has no predictions.*run\.predictions") as told:
        diagnose_runs([run_id])
    assert "gapwise resume" not in str(told.value)
