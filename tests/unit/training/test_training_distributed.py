"""Several processes that train one network give the numbers of one, and end together."""

import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from gapwise.data.prepared import Prepared
from gapwise.errors import TrainingError, UsageError
from gapwise.networks._inverted import StochasticDepth
from gapwise.records import Job, NumericPlan
from gapwise.training import distributed, shared_layers
from gapwise.training.checkpoints import read_checkpoint, weights_digest
from gapwise.training.distributed import cut_for_this_process, part_lengths
from gapwise.training.job import run_job
from gapwise.training.shared_layers import SharedBatchNorm, share_layers

HERE = Path(__file__).parent
CNN = {"name": "small-cnn", "channels": [4, 6], "hidden": 8, "batch_norm": "before"}
DROPPING = {"name": "multilayer-perceptron", "hidden": [16], "dropout": 0.3}
PATIENCE = 280

SETTINGS: dict[str, dict[str, Any]] = {
    "dropout, an uneven last batch": {"network": DROPPING, "batch_size": 37, "l2": 0.01},
    "batch norm, parts": {"network": CNN, "batch_size": 37, "accumulate": 3},
    "clipping, averaged weights": {
        "network": CNN | {"dropout": 0.2},
        "batch_size": 64,
        "clip_norm": 0.1,
        "weight_average": {"beta": 0.9},
    },
    "a lone example": {"examples": 1, "network": DROPPING, "batch_size": 4},
}


def torchrun(processes: int) -> list[str]:
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [sys.executable, *words]


def shared(jobs: Sequence[Job], place: Path, processes: int = 2) -> None:
    """Train ``jobs``, one after the other, by several processes."""
    plan = replace(jobs[0].plan, processes=processes)
    place.write_bytes(pickle.dumps([replace(job, plan=plan) for job in jobs]))
    done = subprocess.run(
        [*torchrun(processes), str(HERE / "shared_job.py"), str(place)],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def last(folder: str) -> tuple[dict[str, torch.Tensor], list[dict[str, float]]]:
    path = max(Path(folder).glob("step-*.json"))
    saved = read_checkpoint(path)
    return dict(saved.tensors), saved.values["history"]


@pytest.fixture
def weighted(
    digits: Prepared, write_prepared: Callable[..., Prepared], tmp_path: Path
) -> Callable[[int], Prepared]:
    """Digits with weights from 0 to 2: make some to train, and 71 dev examples."""

    def make(train: int) -> Prepared:
        n = train + 71
        weights = np.random.default_rng(0).uniform(0, 2, n).round(2)
        splits = ["train"] * train + ["dev"] * 71
        inputs = np.array(digits.inputs[:n])
        return write_prepared(
            tmp_path / f"{train}", inputs, digits.targets[:n], splits, weights=weights
        )

    return make


@pytest.fixture
def trained(
    make_job: Callable[..., Job], weighted: Callable[[int], Prepared], tmp_path: Path
) -> Callable[..., tuple[Job, Job]]:
    """Train by one process; give that job, and the same for another folder."""

    def train(name: str, examples: int = 300, **settings: Any) -> tuple[Job, Job]:
        optimizer = {"name": "momentum", "lr": 0.02}
        job = make_job(name, data=weighted(examples), epochs=2, optimizer=optimizer, **settings)
        run_job(job)
        return job, replace(job, folder=str(tmp_path / f"{name}, shared"))

    return train


def assert_alike(one: Job, several: Job) -> None:
    """Check that weights, averages, optimizer's state and curves differ by rounding alone."""
    (tensors, history), (theirs, their_history) = last(one.folder), last(several.folder)
    assert tensors.keys() == theirs.keys()
    for name, tensor in tensors.items():
        torch.testing.assert_close(
            theirs[name], tensor, rtol=1e-3, atol=2e-5, msg=lambda says, n=name: f"{n}: {says}"
        )
    for epoch, other in zip(history, their_history, strict=True):
        assert other == pytest.approx(epoch, rel=1e-4, abs=1e-5)


def test_two_processes_give_the_numbers_of_one_and_go_on_to_the_bit(
    trained: Callable[..., tuple[Job, Job]], tmp_path: Path
) -> None:
    pairs = [trained(name, **settings) for name, settings in SETTINGS.items()]
    stopped = replace(pairs[2][1], folder=str(tmp_path / "stopped"))
    halves = [replace(stopped, epochs=1), stopped]
    shared([*(several for _, several in pairs), *halves], tmp_path / "jobs")
    for one, several in pairs:
        assert_alike(one, several)
    whole, resumed = last(pairs[2][1].folder)[0], last(stopped.folder)[0]
    assert weights_digest(whole) == weights_digest(resumed)


@pytest.mark.faults
def test_of_three_processes_one_may_have_nothing_to_normalise(
    trained: Callable[..., tuple[Job, Job]], tmp_path: Path
) -> None:
    one, several = trained("pairs", 13, network=CNN | {"dropout": 0.2}, batch_size=2)
    shared([several], tmp_path / "jobs", processes=3)
    assert_alike(one, several)


class TestPlan:
    def test_another_count_of_processes_is_refused(self, make_job: Callable[..., Job]) -> None:
        job = make_job(plan=NumericPlan(fused=True, processes=2))
        with pytest.raises(UsageError, match=r"2 processes.*torchrun --nproc-per-node 2.*--force"):
            run_job(job)

    def test_by_force_it_goes_on_and_says_so(self, make_job: Callable[..., Job]) -> None:
        job = make_job(plan=NumericPlan(fused=True, processes=2), epochs=1)
        run_job(job, force=True)
        saved = read_checkpoint(next(Path(job.folder).glob("step-*.json")))
        assert saved.values["identity"]["plan.processes"] == 1

    @pytest.mark.parametrize(
        ("device", "says"),
        [("cuda:0", "write training.device=cuda"), ("cuda", "--nproc-per-node")],
    )
    def test_devices_that_cannot_be_shared_are_refused(
        self, device: str, says: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"):
            monkeypatch.setenv(name, "4096")
        monkeypatch.setenv("RANK", "0")
        with pytest.raises(UsageError, match=says):
            distributed._check_devices(NumericPlan(device=device))


class TestShares:
    @pytest.mark.parametrize("size", [1, 2, 3, 7])
    @pytest.mark.parametrize("parts", [1, 3, 20])
    @pytest.mark.parametrize("count", [0, 1, 2, 10, 23])
    def test_each_part_is_shared_whole(
        self, size: int, parts: int, count: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Cut again into parts, as each process does, the shares make up the parts of the batch."""
        lengths = part_lengths(count, parts)
        found: list[list[int]] = [[] for _ in lengths]
        for rank in range(size):
            monkeypatch.setattr(distributed, "_now", distributed.World(rank, size))
            mine = torch.from_numpy(cut_for_this_process(np.arange(count), parts))
            for part, piece in zip(found, torch.tensor_split(mine, len(lengths)), strict=True):
                part += piece.tolist()
        assert [len(part) for part in found] == lengths
        assert list(chain.from_iterable(found)) == list(range(count))


class TestLayers:
    def test_one_process_keeps_torchs_own(self) -> None:
        model = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout())
        share_layers(model)
        assert [type(layer) for layer in model] == [nn.BatchNorm1d, nn.Dropout]

    def test_a_shared_norm_alone_is_torchs_own(self) -> None:
        torch.manual_seed(0)
        ours, torchs = SharedBatchNorm(3), nn.BatchNorm2d(3)
        x = torch.randn(4, 3, 5, 5)
        assert torch.equal(ours(x), torchs(x))
        assert torch.equal(ours.running_var, torchs.running_var)

    @pytest.fixture
    def as_second_of_two(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for place in (distributed, shared_layers):
            monkeypatch.setattr(place, "world", lambda: distributed.World(1, 2))

    @pytest.mark.parametrize("kind", [nn.Dropout, StochasticDepth])
    @pytest.mark.parametrize("channels_last", [False, True])
    def test_dropout_draws_as_for_the_whole_batch(
        self, kind: type[nn.Dropout], channels_last: bool, as_second_of_two: None
    ) -> None:
        x = torch.randn(5, 3, 4, 6)
        x = x.contiguous(memory_format=torch.channels_last) if channels_last else x
        model = nn.Sequential(kind(0.4))
        torch.manual_seed(1)
        whole = model(x)
        held = model[0]
        share_layers(model)
        assert model[0] is held
        torch.manual_seed(1)
        with distributed.part_of(5):
            assert torch.equal(model(x[3:]), whole[3:])
        assert torch.equal(model.eval()(x), x)

    def test_batch_norm_refuses_a_lone_example_as_torch_does(self, as_second_of_two: None) -> None:
        model = nn.Sequential(nn.BatchNorm1d(3))
        share_layers(model)
        with distributed.part_of(1), pytest.raises(ValueError, match="more than 1 value"):
            model(torch.randn(1, 3))


def test_who_cannot_be_reached_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: torch.Tensor) -> None:
        raise RuntimeError("[pair.cc:547] Connection closed by peer\nand 40 lines more")

    monkeypatch.setattr(distributed, "_now", distributed.World(0, 2))
    monkeypatch.setattr(torch.distributed, "all_reduce", broken)
    with pytest.raises(TrainingError, match=r"Connection closed by peer\); .*resume") as caught:
        distributed.added(torch.ones(1))
    assert "\n" not in str(caught.value)


def started(home: Path, *words: str, slow: bool = False) -> subprocess.Popen[str]:
    """Start the command; ``slow`` makes whoever fails take its time before it speaks."""
    environment = os.environ | {"GAPWISE_HOME": str(home), "GAPWISE_MIRROR": "off"}
    program = [str(HERE / "slow_to_fail.py"), "gapwise"] if slow else ["-m", "gapwise"]
    command = [*torchrun(2), *program, *words]
    return subprocess.Popen(
        command, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def trainers(parent: int) -> list[psutil.Process]:
    """Return the processes of one torchrun that train."""
    children = psutil.Process(parent).children()
    return [child for child in children if "gapwise" in child.cmdline() and child.is_running()]


QUICK = ["train", "digits", "network=multilayer-perceptron", "training.threads=1"]
QUICK += ["training.device=cpu"]


def sentences(says: str) -> list[str]:
    """Return what the command itself said; torchrun reports in its own words."""
    return re.findall(r"^gapwise: .*$", says, re.MULTILINE)


def test_the_command_makes_one_run_and_one_answer(home: Path) -> None:
    process = started(home, *QUICK, "training.epochs=1", "--json")
    answer, says = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, says
    assert len(answer.splitlines()) == 1
    assert len(list((home / "runs").iterdir())) == 1
    assert len(re.findall(r"epoch 1/1", says)) == 1


def killed(home: Path, rank: str, number: signal.Signals, *, slow: bool = False) -> str:
    """Train, send a signal to one process, or to torchrun; return what was said."""
    process = started(home, *QUICK, "training.epochs=10000", slow=slow)
    assert process.stderr is not None
    for line in process.stderr:
        if "epoch 2/" in line:
            break
    everybody = trainers(process.pid)
    assert len(everybody) == 2
    ranks = {p.environ()["RANK"]: p for p in everybody}
    (ranks[rank] if rank else process).send_signal(number)
    _, says = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    deadline = time.monotonic() + 60
    while any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in everybody):
        assert time.monotonic() < deadline, "a process stayed"
        time.sleep(0.2)
    return says


def test_when_one_process_is_killed_none_stays(home: Path) -> None:
    (sentence,) = sentences(killed(home, "1", signal.SIGKILL))
    assert "another of the 2 processes" in sentence
    assert "resume" in sentence


def test_the_signal_that_torchrun_sends_meanwhile_cuts_no_last_words(home: Path) -> None:
    (sentence,) = sentences(killed(home, "1", signal.SIGKILL, slow=True))
    assert "another of the 2 processes" in sentence


@pytest.mark.faults
def test_when_the_leader_is_killed_the_run_is_resumed(home: Path) -> None:
    (sentence,) = sentences(killed(home, "0", signal.SIGKILL))
    assert "another of the 2 processes" in sentence
    alone = subprocess.run(
        [sys.executable, "-m", "gapwise", "resume", "latest"],
        env=os.environ | {"GAPWISE_HOME": str(home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert alone.returncode == 2
    assert "torchrun --nproc-per-node 2 -m gapwise resume" in alone.stderr
    process = started(home, "resume", "latest")
    assert process.stderr is not None
    goes_on = any("goes on at epoch" in line for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert goes_on


@pytest.mark.faults
def test_a_stop_saves_once_and_is_said_once(home: Path) -> None:
    (sentence,) = sentences(killed(home, "", signal.SIGTERM))
    assert "training stopped as asked" in sentence
    (run,) = (home / "runs").iterdir()
    assert any((run / "checkpoints").glob("step-*.json"))


@pytest.mark.faults
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["training.epoch=1"], "did you mean"),
        (["training.optimizer.lr=1e30"], "the loss is nan at step"),
        (["network=small-cnn", "network.channels=[8,8,8,8]"], "does not fit"),
        (["training.device=cuda:7"], "training.device"),
    ],
)
def test_whatever_goes_wrong_is_said_once(home: Path, words: list[str], says: str) -> None:
    process = started(home, *QUICK, *words)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    (sentence,) = sentences(said)
    assert says in sentence
