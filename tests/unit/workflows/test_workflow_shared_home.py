"""W4: a node whose folder is another one is refused by name and path; nothing is trained there."""

import os
from pathlib import Path
from typing import Any

import pytest

from gapwise.errors import UsageError
from gapwise.records import Job
from gapwise.settings import Settings
from gapwise.workflows import far_jobs
from gapwise.workflows.far_jobs import NearJob, run_near
from gapwise.workflows.shared_home import MARK, Seen, seen
from gapwise.workflows.train_on_workers import Order, train_there


class Never:
    """What a call hears, where it must not come so far."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def test_a_home_has_one_mark(home: Path) -> None:
    first = seen(Settings.read())
    assert seen(Settings.read()) == first
    assert len(first.mark) == 32
    first.require()


@pytest.fixture
def elsewhere(home: Path, tmp_path: Path) -> Seen:
    """The driver's home, as a node sees it that has another folder under the path."""
    found = seen(Settings.read())
    home.rename(tmp_path / "the driver's")
    home.mkdir()
    return found


@pytest.mark.parametrize("has_mark", [False, True], ids=["empty", "of another"])
def test_w4_another_folder_under_the_path_is_refused(elsewhere: Seen, has_mark: bool) -> None:
    if has_mark:
        (Path(elsewhere.home) / MARK).write_text("0" * 32)
    node = os.uname().nodename
    with pytest.raises(UsageError, match=rf"node {node} does not see .*home as the driver does"):
        elsewhere.require()


def test_w4_no_trial_begins_there(elsewhere: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_jobs, "run_trial", Never())
    job: Job = Never()  # type: ignore[assignment]
    with pytest.raises(UsageError, match="mount one folder there"):
        run_near(NearJob(job=job, home=elsewhere), Never())  # type: ignore[arg-type]


def test_w4_no_training_begins_there(elsewhere: Seen) -> None:
    order = Order(
        batch=Never(), seed=0, run_id="0" * 32, settings=Settings.read(), home=elsewhere  # type: ignore[arg-type]
    )  # fmt: skip
    with pytest.raises(UsageError, match="set GAPWISE_SHARED"):
        train_there(order, Never())  # type: ignore[arg-type]
    assert not Settings.read().runs.exists()
