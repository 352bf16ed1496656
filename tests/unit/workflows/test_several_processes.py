"""Who leads, who follows, and who speaks."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gapwise.errors import DataError, StorageError
from gapwise.records import Job, NumericPlan
from gapwise.training import distributed
from gapwise.workflows import several_processes
from gapwise.workflows.several_processes import led


def refuse() -> None:
    raise DataError("no data; get some")


@pytest.fixture
def as_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, bool], None]:
    """Be a process of two, whose failure is the first or not."""

    def be(rank: int, first: bool) -> None:
        @contextmanager
        def group() -> Iterator[distributed.World]:
            yield distributed.World(rank, 2)

        monkeypatch.setattr(distributed, "group", group)
        monkeypatch.setattr(distributed, "fails_first", lambda: first)
        monkeypatch.setenv("RANK", str(rank))

    return be


def test_alone_a_command_is_just_run() -> None:
    assert led(lambda: 7) == 7
    with pytest.raises(DataError):
        led(refuse)


@pytest.mark.parametrize("first", [True, False])
def test_only_the_first_failure_is_told(first: bool, as_process: Callable[..., None]) -> None:
    as_process(0, first)
    with pytest.raises(DataError if first else SystemExit) as caught:
        led(refuse)
    if not first:
        assert caught.value.code == DataError.exit_code


def test_a_machine_that_does_not_see_the_data_says_so(
    as_process: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(
        pipeline={}, data=str(tmp_path / "gone"), folder="", plan=NumericPlan(), seed=0, epochs=1
    )
    as_process(1, True)
    monkeypatch.setattr(distributed, "follow", lambda run: run(job, False))
    with pytest.raises(StorageError, match=r"process 1 on .*gone; set GAPWISE_HOME"):
        led(refuse)


def test_a_follower_leaves_signals_to_the_leader(
    as_process: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []
    job = Job(pipeline={}, data=str(tmp_path), folder="", plan=NumericPlan(), seed=0, epochs=1)
    as_process(1, True)
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(distributed, "follow", lambda run: run(job, True))
    monkeypatch.setattr(
        several_processes,
        "run_job",
        lambda job, *, force: heard.append((signal.getsignal(signal.SIGTERM), force)),
    )
    assert led(refuse) is None
    assert heard == [(signal.SIG_IGN, True)]
    assert signal.getsignal(signal.SIGTERM) == before
