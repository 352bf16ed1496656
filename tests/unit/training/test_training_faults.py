"""What torch says when a step cannot be done, told with what the pipeline can do about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gapwise import pipeline_file
from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError, TrainingError
from gapwise.pipeline import Pipeline
from gapwise.records import Job
from gapwise.training import plan
from gapwise.training.job import make_learner, run_job
from gapwise.training.learner import EVALUATION_BATCH, Learner, evaluation_batch
from gapwise.training.plan import choose_plan
from gapwise.training.recipe import read_recipe

Make = Callable[..., Job]


def cpu_error() -> RuntimeError:
    """What torch's allocator on the CPU really raises here."""
    with pytest.raises(RuntimeError) as told:
        torch.empty(2**58)
    return told.value


NO_MEMORY = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB."),
    "cpu": cpu_error(),
    "numpy": MemoryError("Unable to allocate 9.00 EiB"),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 9.0 GB)"),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
}
MENDS = [
    ({}, "for 30 examples at once; try training.batch_size=15, or training.accumulate=2"),
    ({"accumulate": 4}, "for 8 examples at once; .*batch_size=15, or training.accumulate=8"),
    ({"batch_size": "all"}, "for 300 examples at once; .*batch_size=150, or .*accumulate=2"),
    ({"batch_size": 9999}, "for 300 examples at once; .*batch_size=150, or .*accumulate=2"),
    ({"batch_size": 1}, "for 1 examples? at once; try a smaller network or smaller images"),
    ({"accumulate": 99}, "for 1 examples? at once; try a smaller network or smaller images"),
]


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def step(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Learner, "step", step)


@pytest.mark.parametrize("kind", NO_MEMORY)
def test_t5_memory_that_does_not_suffice_is_told_whoever_says_it(
    make_job: Make, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    failing(monkeypatch, NO_MEMORY[kind])
    with pytest.raises(TrainingError, match=r"cpu has not enough memory .*batch_size=15") as told:
        run_job(make_job())
    assert told.value.__cause__ is NO_MEMORY[kind]


@pytest.mark.parametrize(("settings", "says"), MENDS)
def test_t5_the_mend_is_one_that_saves_memory(
    make_job: Make, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], says: str
) -> None:
    failing(monkeypatch, NO_MEMORY["cpu"])
    with pytest.raises(TrainingError, match=says):
        run_job(make_job(**settings))


@pytest.mark.parametrize(
    "settings", [{"accumulate": 3}, {"weight_average": {"beta": 0.9}}, {"clip_norm": 1e30}], ids=str
)
def test_t4_a_training_that_diverges_names_its_batch_whatever_the_knobs(
    make_job: Make, settings: dict[str, Any]
) -> None:
    """A real overflow in epoch 2: the checkpoint of epoch 1 stays, and it alone."""
    diverging = {
        "network": {"name": "multilayer-perceptron", "hidden": [8]},
        "optimizer": {"name": "gradient-descent", "lr": 1e-3},
    }
    job = make_job(epochs=1, **diverging, **settings)
    kept = run_job(job).last_checkpoint
    diverging["optimizer"] = {"name": "gradient-descent", "lr": 1e30}
    with pytest.raises(TrainingError, match=r"batch of 30 examples: digit-.*is kept") as told:
        run_job(make_job(**diverging, **settings), force=True)
    assert len(told.value.example_ids) == 30
    assert told.value.step is not None
    assert 11 <= told.value.step <= 20
    assert [str(path) for path in Path(job.folder).glob("*.json")] == [kept]


def test_t5_memory_is_told_where_plans_are_measured_too(
    make_job: Make, digits: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, NO_MEMORY["cpu"])
    with pytest.raises(TrainingError, match=r"try training\.batch_size=15"):
        choose_plan(make_job(network="small-cnn").pipeline, digits)


def test_other_faults_keep_their_own_words(make_job: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        run_job(make_job())


@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"accumulate": 30}])
def test_batch_norm_over_one_example_is_refused(make_job: Make, settings: dict[str, Any]) -> None:
    network = {"name": "multilayer-perceptron", "batch_norm": "before"}
    with pytest.raises(PipelineError, match=r"a single example \(.*train on at least 2 at once"):
        run_job(make_job(network=network, **settings))


KNOBS: list[dict[str, Any]] = [
    {"batch_size": "all"},
    {"batch_size": 1, "network": "multilayer-perceptron"},
    {"accumulate": 3, "clip_norm": 0.5, "l2": 0.1},
    {"weight_average": {"beta": 0.5}, "initializer": "zeros", "schedule": "staircase"},
]


@pytest.mark.parametrize("settings", KNOBS, ids=str)
def test_plans_are_measured_with_any_knob(
    make_job: Make, digits: Prepared, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    monkeypatch.setattr(plan, "SHORT_SECONDS", 0.0)
    monkeypatch.setattr(plan, "MOST_EXAMPLES", 64)
    sizes: list[int] = []
    real = Learner.step

    def step(self: Learner, batch: Any, factor: float) -> Any:
        sizes.append(len(batch.positions))
        return real(self, batch, factor)

    monkeypatch.setattr(Learner, "step", step)
    chosen = choose_plan(make_job(**({"network": "small-cnn"} | settings)).pipeline, digits)
    assert chosen.device == "cpu"
    assert set(sizes) == {{"all": 64, 1: 1}.get(settings.get("batch_size", 30), 30)}
    assert len(sizes) >= plan.FEWEST_STEPS


def test_large_images_are_evaluated_a_few_at_a_time(make_job: Make, digits: Prepared) -> None:
    job = make_job()
    model = make_learner(read_recipe(job.pipeline, {}), digits, job).model

    def batch_of(*shape: int) -> int:
        model.spec.__dict__["input_shape"] = shape
        return evaluation_batch(model)

    assert batch_of(1, 28, 28) == batch_of(3, 32, 32) == batch_of(14) == EVALUATION_BATCH
    assert batch_of(3, 224, 224) == 13
    assert batch_of(3, 4000, 4000) == 1
    assert isinstance(model, nn.Module)


@pytest.mark.parametrize(
    ("training", "says"),
    [
        ("batch_size: al", r'batch_size: is "al", but must be a whole number or .all.'),
        ("batch_size: 0", r"batch_size: is 0, but must be at least 1 or .all."),
        ("acumulate: 2", r"acumulate: is an unknown key; .*accumulate"),
        ("accumulate: 0", r"accumulate: is 0, but must be at least 1"),
        ("clip_norm: 0", r"clip_norm: is 0, but must be more than 0"),
        ("clipnorm: 1", r"clipnorm: is an unknown key; .*clip_norm"),
        ("weight_averge: {}", r"weight_averge: is an unknown key; .*weight_average"),
        ("weight_average: {beta: 1}", r"weight_average\.beta: is 1, but must be less than 1"),
        ("weight_average: {bta: 0.9}", r"bta: is an unknown key; .*beta"),
        ("initialiser: he", r"initialiser: is an unknown key; .*initializer"),
    ],
)
def test_a_wrong_knob_is_answered_with_its_neighbour(
    tmp_path: Any, training: str, says: str
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"data: {{dataset: digits}}\nnetwork: lenet5\ntraining:\n  {training}\n")
    with pytest.raises(PipelineError, match=says):
        pipeline_file.load(str(path))


def test_every_knob_is_described() -> None:
    training = Pipeline.model_json_schema()["$defs"]["Training"]["properties"]
    assert [name for name, field in training.items() if len(field["description"]) < 10] == []
