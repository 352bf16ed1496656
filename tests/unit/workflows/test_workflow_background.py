"""A command in a process of its own, watched by its files."""

import time
from pathlib import Path

import pytest

from gapwise.errors import BusyError
from gapwise.settings import Settings
from gapwise.workflows import background
from gapwise.workflows.background import Background


def ended(name: str) -> Background:
    deadline = time.monotonic() + 60
    while True:
        found = background.look(name, Settings.read())
        assert found is not None
        if found.state != "running":
            return found
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_command_runs_by_itself_and_leaves_its_word(home: Path) -> None:
    settings = Settings.read()
    assert background.look("one", settings) is None
    background.start("one", ("doctor",), settings)
    with pytest.raises(BusyError, match="doctor is running already; wait for it"):
        background.start("one", ("doctor",), settings)
    found = ended("one")
    assert (found.state, found.words) == ("done", ("doctor",))
    assert "searches" in found.says
    background.start("one", ("suspects", "nobody"), settings)
    failed = ended("one")
    assert failed.state == "failed"
    assert failed.says.startswith("gapwise: ")


def test_one_that_vanished_counts_as_failed_in_the_end(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "background" / "a_b"
    folder.mkdir(parents=True)
    (folder / "words.json").write_text('["train"]')
    (folder / "log").write_text("epoch 1\repoch 2\n")
    found = background.look("a/b", Settings.read())
    assert found is not None
    assert (found.words, found.state, found.says) == (("train",), "running", "epoch 2")
    monkeypatch.setattr(background, "SILENT", -1.0)
    gone = background.look("a/b", Settings.read())
    assert gone is not None
    assert gone.state == "failed"
