"""What is launched from a page: started, stopped, gone on with."""

import time
from pathlib import Path

import pytest

from gapwise.errors import UsageError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows import background, launches
from gapwise.workflows.background import Background
from gapwise.workflows.knob_form import changes, fields
from gapwise.workflows.prepare import read

LONG = ["network=multilayer-perceptron", "training.epochs=2000", "training.device=cpu"]


def wait_for(name: str, *states: str, within: float = 120) -> Background:
    deadline = time.monotonic() + within
    while True:
        found = background.look(name, Settings.read())
        assert found is not None
        if found.state in states:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def wait_for_epochs(settings: Settings) -> None:
    deadline = time.monotonic() + 120
    while not list(settings.runs.glob("*/checkpoints/step-*.json")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_training_is_stopped_and_goes_on(home: Path) -> None:
    settings = Settings.read()
    name = launches.training("digits", LONG, 1, "", settings)
    wait_for_epochs(settings)
    launches.stop(name, settings)
    stopped = wait_for(name, "stopped", "failed", "done", within=30)
    assert stopped.state == "stopped"
    assert "gapwise resume goes on" in stopped.says
    (run_id,) = RunStore(settings).rows(None)["run_id"]
    second = launches.go_on(stopped, settings)
    assert background.look(second, settings).words == ("resume", run_id)  # type: ignore[union-attr]
    assert [one.name for one in launches.launched(settings)] == [second, name]
    launches.stop(second, settings)
    wait_for(second, "stopped", "failed", "done", within=60)


def test_one_that_never_trained_cannot_go_on(home: Path) -> None:
    settings = Settings.read()
    name = launches.training("nowhere", [], 1, "", settings)
    failed = wait_for(name, "failed")
    assert "pipeline nowhere is not known" in failed.says
    with pytest.raises(UsageError, match="had not begun to train"):
        launches.go_on(failed, settings)


def test_the_form_gives_the_overrides_that_were_typed() -> None:
    shown = fields(read("digits"))
    held = {one.key: one for one in shown}
    assert held["training.epochs"].value == "25"
    assert held["training.optimizer"].options[0] == "adam"
    assert held["training.augmentation.mirror"].kind == "switch"
    assert held["network.channels"].value == "[32, 64]"
    typed = {one.key: one.value for one in shown}
    assert changes(shown, typed) == []
    typed |= {"training.epochs": " 30", "training.augmentation.mirror": "true"}
    assert changes(shown, typed) == ["training.augmentation.mirror=true", "training.epochs=30"]
    # the options of a part that is exchanged are no longer its own
    typed |= {"training.optimizer": "momentum", "training.optimizer.beta1": "0.5"}
    assert changes(shown, typed)[0] == "training.optimizer=momentum"
    assert not any("beta1" in one for one in changes(shown, typed))
    read("digits", changes(shown, typed))
