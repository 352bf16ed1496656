"""Jobs trained together: what each becomes is what it would have become alone."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError, StoppedError, TrainingError
from gapwise.records import Job, JobResult, NumericPlan
from gapwise.training import plan as plans
from gapwise.training import trial
from gapwise.training.callbacks import Callback, Step
from gapwise.training.checkpoints import read_checkpoint
from gapwise.training.job import run_job
from gapwise.training.together import run_jobs, shape

MLP = {"name": "multilayer-perceptron", "hidden": [20, 10], "dropout": 0.2}
CNN = {"name": "small-cnn", "channels": [4, 6], "dropout": 0.3, "batch_norm": "before"}

ADAM = [
    {"training.optimizer": {"name": "adam", "lr": 0.01, "beta1": 0.9, "beta2": 0.99}},
    {
        "training.optimizer": {"name": "adam", "lr": 0.003, "beta1": 0.8, "epsilon": 1e-6},
        "training.l2": 0.01,
        "network.dropout": 0.0,
    },
    {
        "training.optimizer": {"name": "adam", "lr": 0.03},
        "training.clip_norm": 0.5,
        "network.dropout": 0.5,
        "training.schedule": {"name": "exponential", "base": 0.7},
    },
]


def of(name: str, *knobs: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"training.optimizer": {"name": name, **one}} for one in knobs]


SETTINGS = {
    "adam": ADAM,
    "gradient-descent": of("gradient-descent", {"lr": 0.1}, {"lr": 0.02}),
    "momentum": of("momentum", {"lr": 0.05, "beta": 0.9}, {"lr": 0.1, "beta": 0.5}),
    "nesterov": of("momentum", {"lr": 0.05, "nesterov": True}, {"lr": 0.1, "nesterov": True}),
    "average": of(
        "momentum",
        {"lr": 0.5, "velocity": "average"},
        {"lr": 0.1, "beta": 0.6, "velocity": "average"},
    ),
    "rmsprop": of("rmsprop", {"lr": 0.002}, {"lr": 0.01, "beta2": 0.99, "epsilon": 1e-4}),
}


@pytest.fixture
def make_jobs(make_job: Callable[..., Job]) -> Callable[..., list[Job]]:
    """Make a job for each setting."""

    def make(folder: str, settings: Sequence[dict[str, Any]], **common: Any) -> list[Job]:
        base = make_job(folder, network=common.pop("network", MLP), **common)
        return [
            replace(base, folder=f"{base.folder}-{at}", parameters=one)
            for at, one in enumerate(settings)
        ]

    return make


def run(jobs: Sequence[Job], **options: Any) -> list[Any]:
    return run_jobs(jobs, [[] for _ in jobs], **options)


def weights(result: JobResult) -> dict[str, torch.Tensor]:
    return dict(read_checkpoint(Path(result.last_checkpoint)).tensors)


def check_alike(together: Sequence[JobResult], alone: Sequence[JobResult]) -> None:
    for one, other in zip(together, alone, strict=True):
        assert one.curve == pytest.approx(other.curve, abs=0.01)
        mine, its = weights(one), weights(other)
        assert mine.keys() >= its.keys()
        for name, tensor in its.items():
            torch.testing.assert_close(mine[name], tensor, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_each_becomes_what_it_would_alone(
    make_jobs: Callable[..., list[Job]], settings: list[dict[str, Any]]
) -> None:
    together = run(make_jobs("together", settings, epochs=2))
    alone = [run_job(job) for job in make_jobs("alone", settings, epochs=2)]
    check_alike(together, alone)
    first, second = (weights(one)["model.network.output.weight"] for one in together[:2])
    assert (first - second).abs().max() > 0.01


def test_convolutions_and_batch_norms_too(make_jobs: Callable[..., list[Job]]) -> None:
    together = run(make_jobs("together", ADAM, epochs=2, network=CNN))
    alone = [run_job(job) for job in make_jobs("alone", ADAM, epochs=2, network=CNN)]
    check_alike(together, alone)
    names = weights(together[0])
    assert any("running_var" in name for name in names)


def test_goes_on_alone_from_a_checkpoint_that_was_made_together(
    make_jobs: Callable[..., list[Job]],
) -> None:
    run(make_jobs("together", ADAM, epochs=1))
    gone_on = [run_job(job) for job in make_jobs("together", ADAM, epochs=3)]
    check_alike(gone_on, [run_job(job) for job in make_jobs("alone", ADAM, epochs=3)])


def test_goes_on_together_from_checkpoints_that_stand_apart(
    make_jobs: Callable[..., list[Job]],
) -> None:
    ahead, *_ = make_jobs("together", ADAM, epochs=1)
    run_job(ahead)
    together = run(make_jobs("together", ADAM, epochs=2))
    check_alike(together, [run_job(job) for job in make_jobs("alone", ADAM, epochs=2)])


def test_one_that_diverges_leaves_the_others_alone(make_jobs: Callable[..., list[Job]]) -> None:
    wild = of("gradient-descent", {"lr": 0.1}, {"lr": 1e30}, {"lr": 0.02})
    good, bad, other = run(make_jobs("together", wild, epochs=2))
    assert isinstance(bad, TrainingError)
    assert "lr 1e+30" in str(bad)
    alone = [run_job(job) for job in make_jobs("alone", [wild[0], wild[2]], epochs=2)]
    check_alike([good, other], alone)


def test_one_that_stops_early_leaves_the_others_alone(make_jobs: Callable[..., list[Job]]) -> None:
    stop = {"training.early_stopping": {"patience": 1}}
    settings = [{**ADAM[0], **stop, "training.optimizer.lr": 0.0}, ADAM[1]]
    early, other = run(make_jobs("together", settings, epochs=4))
    assert (early.epochs, early.stopped_early) == (2, True)
    assert other.epochs == 4
    check_alike([other], [run_job(job) for job in make_jobs("alone", [ADAM[1]], epochs=4)])


def test_stopped_it_keeps_a_checkpoint_of_each(make_jobs: Callable[..., list[Job]]) -> None:
    class Count(Callback):
        steps = 0

        def on_steps(self, steps: Sequence[Step]) -> None:
            Count.steps += len(steps)

    asked = iter([False] * 20 + [True] * 1000)
    with pytest.raises(StoppedError, match="stopped as asked"):
        run(make_jobs("together", ADAM, epochs=2), should_stop=lambda: next(asked))
    gone_on = run(make_jobs("together", ADAM, epochs=2))
    check_alike(gone_on, [run_job(job) for job in make_jobs("alone", ADAM, epochs=2)])


def test_what_cannot_be_stacked_is_trained_one_by_one(make_jobs: Callable[..., list[Job]]) -> None:
    settings = [{**one, "training.weight_average": {"beta": 0.9}} for one in ADAM]
    together = run(make_jobs("together", settings, epochs=2))
    alone = [run_job(job) for job in make_jobs("alone", settings, epochs=2)]
    check_alike(together, alone)
    assert [one.curve for one in together] == [one.curve for one in alone]


def test_a_trial_counts_its_share_of_the_time(make_jobs: Callable[..., list[Job]]) -> None:
    began = time.monotonic()
    results = run(make_jobs("together", [ADAM[0]] * 8, epochs=3))
    assert sum(result.seconds for result in results) <= time.monotonic() - began


def test_trials_are_heard_though_the_first_of_them_has_failed(
    make_jobs: Callable[..., list[Job]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Heard:
        facts: ClassVar[list[Any]] = []

        def should_stop(self) -> bool:
            return False

        def alive(self, news: Any) -> None:
            self.facts.append(news)

    monkeypatch.setattr(trial, "TELL_SECONDS", 0.0)
    wild = of("gradient-descent", {"lr": 1e30}, {"lr": 0.1})
    bad, good = trial.run_trials(make_jobs("together", wild, epochs=3), Heard())
    assert isinstance(bad, TrainingError)
    assert isinstance(good, JobResult)
    assert {one["epoch"] for one in Heard.facts} == {1, 2, 3}


def test_the_shape_leaves_out_what_each_may_have_of_its_own(make_job: Callable[..., Job]) -> None:
    pipeline = make_job(network=MLP).pipeline
    alike = {shape(pipeline, one) for one in ADAM}
    assert len(alike) == 1
    others = [
        {"training.batch_size": 10},
        {"network.hidden": [20, 20]},
        {"training.optimizer": {"name": "momentum"}},
        {"training.augmentation.shift": 2},
    ]
    assert len(alike | {shape(pipeline, one) for one in others}) == 1 + len(others)


def test_so_many_share_a_job_as_measure_fastest(
    make_job: Callable[..., Job], digits: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = NumericPlan(fused=True)
    measured = iter([0.01, 4 * 0.009, 16 * 0.003, 64 * 0.004])
    monkeypatch.setattr(plans, "_fastest", lambda *_: next(measured))
    chosen = plans.choose_together(make_job(network=MLP).pipeline, digits, plan)
    assert chosen == replace(plan, together=16)


def test_none_share_a_job_where_that_saves_too_little(
    make_job: Callable[..., Job], digits: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = NumericPlan(fused=True, channels_last=True)
    measured = iter([0.01, 4 * 0.0085, 16 * 0.011])
    monkeypatch.setattr(plans, "_fastest", lambda *_: next(measured))
    assert plans.choose_together(make_job(network=MLP).pipeline, digits, plan) == plan


@pytest.mark.parametrize(
    ("network", "measured"), [(MLP, [0.5]), ({**MLP, "hidden": [2000, 2000]}, [])]
)
def test_long_steps_and_large_networks_are_not_tried_together(
    make_job: Callable[..., Job],
    digits: Prepared,
    monkeypatch: pytest.MonkeyPatch,
    network: dict[str, Any],
    measured: list[float],
) -> None:
    plan, left = NumericPlan(fused=True), iter(measured)
    monkeypatch.setattr(plans, "_fastest", lambda *_: next(left))
    assert plans.choose_together(make_job(network=network).pipeline, digits, plan) == plan
    assert list(left) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"network": "resnet20"},
        {"network": MLP, "accumulate": 2},
        {"network": MLP, "precision": "bfloat16"},
        {"network": MLP, "weight_average": {"beta": 0.9}},
    ],
)
def test_what_cannot_share_a_job_does_not(
    make_job: Callable[..., Job], digits: Prepared, settings: dict[str, Any]
) -> None:
    plan, pipeline = NumericPlan(fused=True), make_job(**settings).pipeline
    assert plans.choose_together(pipeline, digits, plan) == plan
    assert plans.choose_together(pipeline, digits, plan, asked=1) == plan
    with pytest.raises(PipelineError, match=r"search\.together is 8, but .* cannot share a job"):
        plans.choose_together(pipeline, digits, plan, asked=8)
