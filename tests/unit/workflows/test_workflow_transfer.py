"""Start from a pipeline, a run or a file of weights, and go on without it afterwards."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gapwise import pipeline_file
from gapwise.errors import PipelineError, StoppedError, StorageError
from gapwise.records import Job
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.training.checkpoints import weights_digest
from gapwise.workflows import job_file, start_weights
from gapwise.workflows.export import export
from gapwise.workflows.stop import StopRequest
from gapwise.workflows.train import resume, train
from gapwise.workflows.trained_run import open_trained

FIRST = """
description: A few digits, by a small dense network
data: {dataset: digits}
splits: {target: phone, dev: 400, test: 250, train_dev: 250}
network: {name: multilayer-perceptron, hidden: [24]}
training: {epochs: 2, device: cpu, threads: 1, optimizer: {name: adam, lr: 3e-3}}
"""
SECOND = FIRST + "transfer: {start: first}\n"


@pytest.fixture
def pipelines(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the pipelines ``first`` and ``second``, which starts from it."""
    monkeypatch.setenv("GAPWISE_MIRROR", "off")  # MLflow has no part in this, and takes seconds
    (here / "pipelines").mkdir()
    (here / "pipelines" / "first.yaml").write_text(FIRST)
    (here / "pipelines" / "second.yaml").write_text(SECOND)
    return here


def run_of(ref: str) -> StoredRun:
    return RunStore(Settings.read()).open(ref)


def job_of(run: StoredRun) -> Job:
    assert run.folder is not None
    return job_file.read_job(run.folder)


def network_of(ref: str) -> dict[str, torch.Tensor]:
    return open_trained(ref, Settings.read()).model.state_dict()


def count(experiment: str) -> int:
    return len(RunStore(Settings.read()).rows(experiment))


def scores(run: StoredRun) -> Any:
    path = run.predictions_path("dev")
    assert path is not None
    return tables.read(path, split="dev").scores


def test_a_pipeline_that_has_no_run_is_trained_first_and_once(
    pipelines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train("second", ["training.epochs=1"])
    said = capsys.readouterr().err
    assert said.count("pipeline first has no finished run here; it is trained first\n") == 1
    assert (count("first"), count("second")) == (1, 1)
    train("second", ["training.epochs=1"])
    said = capsys.readouterr().err
    assert "trained first" not in said
    assert "transfer.start: the best network of run first-" in said
    assert (count("first"), count("second")) == (1, 2)


def test_the_run_keeps_a_pinned_copy_and_the_id_that_it_came_from(pipelines: Path) -> None:
    first = train("first").run_ids[0]
    second = run_of(train("second").run_ids[0])
    assert second.folder is not None
    pipeline = second.pipeline()
    assert pipeline is not None
    assert pipeline["transfer"]["start"] == first
    assert second.parameters["transfer.start"] == first
    job = job_of(second)
    assert job.start == str(second.folder / "start.safetensors")
    document = json.loads((second.folder / "job.json").read_text())
    assert document["start"] == "start.safetensors"
    kept = load_file(job.start)
    assert weights_digest(kept) == job.start_digest
    given = network_of(first)
    assert all(torch.equal(kept[name], given[name]) for name in given)


def test_only_a_finished_run_stands_for_its_pipeline(
    pipelines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = train("first").run_ids[0]
    with monkeypatch.context() as context:
        asked = iter([False] * 9)
        context.setattr(StopRequest, "__call__", lambda self: next(asked, True))
        with pytest.raises(StoppedError):
            train("first")
    assert run_of("latest").status == "KILLED"
    assert job_of(run_of(train("second").run_ids[0])).pipeline["transfer"]["start"] == finished


@pytest.mark.parametrize("how", ["id", "name", "latest", "best"])
def test_a_run_is_named_as_everywhere(pipelines: Path, how: str) -> None:
    first = train("first", run_name="teacher").run_ids[0]
    ref = {"id": first[:10], "name": "teacher"}.get(how, how)
    second = train("first", [f"transfer.start={ref}", "training.epochs=1"])
    assert job_of(run_of(second.run_ids[0])).pipeline["transfer"]["start"] == first


def test_stopped_it_is_resumed_without_the_run_that_it_came_from(
    pipelines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = ["training.epochs=3", "transfer.train_last=1", "transfer.unfreeze_at=3",
                 "transfer.precompute=true"]  # fmt: skip
    first = train("first").run_ids[0]
    whole = run_of(train("second", overrides).run_ids[0])
    with monkeypatch.context() as context:
        asked = iter([False] * 20)
        context.setattr(StopRequest, "__call__", lambda self: next(asked, True))
        with pytest.raises(StoppedError):
            train("second", overrides)
    shutil.rmtree(pipelines.parent / "home" / "runs" / first)
    again = run_of(resume("latest").run_ids[0])
    assert again.run_id != whole.run_id
    assert np.array_equal(scores(whole), scores(again))
    for name in ("loss", "lr", "dev_error"):
        assert np.array_equal(whole.history(name)[1], again.history(name)[1])


def test_the_seeds_that_a_group_lacks_start_from_the_same_copy(
    pipelines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train("first").run_ids[0]
    with monkeypatch.context() as context:
        asked = iter([False] * 9)
        context.setattr(StopRequest, "__call__", lambda self: next(asked, True))
        with pytest.raises(StoppedError):
            train("second", ["training.epochs=1", "transfer.train_last=1"], seeds=2)
    shutil.rmtree(pipelines.parent / "home" / "runs" / first)
    runs = [run_of(run_id) for run_id in resume("latest").run_ids]
    assert [run.seed for run in runs] == [0, 1]
    assert len({job_of(run).start_digest for run in runs}) == 1
    frozen, other = (network_of(run.run_id) for run in runs)
    same = {name for name in frozen if torch.equal(frozen[name], other[name])}
    assert {name.rpartition(".")[0] for name in frozen if name not in same} == {
        max(name.rpartition(".")[0] for name in frozen if name.startswith("network."))
    }


def test_a_copy_that_was_changed_is_refused(pipelines: Path) -> None:
    second = run_of(train("second", ["training.epochs=1"]).run_ids[0])
    job = job_of(second)
    path = Path(job.start)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"not those that the run started from"):
        start_weights.of_job(job)


def test_an_exported_file_starts_as_its_run_does(pipelines: Path) -> None:
    first = train("first").run_ids[0]
    path, _ = export(first, "safetensors", pipelines / "teacher.safetensors")
    by_run = run_of(train("second", [f"transfer.start={first}"]).run_ids[0])
    by_file = run_of(train("second", [f"transfer.start={path.name}"]).run_ids[0])
    assert job_of(by_file).pipeline["transfer"]["start"] == "teacher.safetensors"
    assert job_of(by_file).start_digest == job_of(by_run).start_digest
    assert np.array_equal(scores(by_file), scores(by_run))


def test_a_state_dict_of_torch_starts_too(pipelines: Path) -> None:
    first = train("first").run_ids[0]
    network = open_trained(first, Settings.read()).model.network.state_dict()
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.items()}}, "teacher.pth")
    second = train("second", ["transfer.start=teacher.pth", "transfer.head=keep"])
    kept = load_file(job_of(run_of(second.run_ids[0])).start)
    assert set(kept) == {f"network.{name}" for name in network}
    assert all(torch.equal(kept[f"network.{name}"], network[name]) for name in network)


def test_code_in_a_file_of_weights_is_not_run(pipelines: Path) -> None:
    class Planted:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path.touch, (Path("run"),)  # type: ignore[return-value]

    torch.save({"weight": Planted()}, "planted.pt")
    with pytest.raises(StorageError, match=r"more than tensors"):
        train("second", ["transfer.start=planted.pt"])
    assert not Path("run").exists()


def test_what_does_not_fit_is_said_before_there_is_a_run(pipelines: Path) -> None:
    train("first")
    with pytest.raises(
        PipelineError,
        match=r"transfer\.start do not fit network multilayer-perceptron: .*\(24, 64\) in place of "
        r"\(32, 64\).*; name the network",
    ):
        train("second", ["network.hidden=[32]"])
    with pytest.raises(PipelineError, match=r"network small-cnn: \d+ missing .*; \d+ unexpected"):
        train("second", ["network=small-cnn"])
    with pytest.raises(PipelineError, match=r"train_last is 5, but network .* has 2 layers"):
        train("second", ["transfer.train_last=5"])
    assert count("second") == 0


def test_other_options_of_the_same_shape_are_told(
    pipelines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train("first")
    train("second", ["network.activation=tanh", "training.epochs=1"])
    assert "multilayer-perceptron has other options: activation relu → tanh\n" in (
        capsys.readouterr().err
    )


def test_other_classes_cannot_keep_the_head(photo_shop: Any, here: Path) -> None:
    """The photos' classes are called zero to nine, the digits' 0 to 9."""
    (here / "own.yaml").write_text(FIRST)
    shape = "network={name: small-cnn, channels: [32, 64]}"
    trained = open_trained(photo_shop.run, photo_shop.settings)
    part = json.dumps(dict(trained.model.spec.network))
    overrides = [shape, f"network={part}", f"transfer.start={photo_shop.run}"]
    with pytest.raises(PipelineError, match=r"the start tells 10 classes .*\(0, 1, 2, 3"):
        train("./own.yaml", [*overrides, "transfer.head=keep"], settings=photo_shop.settings)
    done = train("./own.yaml", [*overrides, "training.epochs=1"], settings=photo_shop.settings)
    assert len(done.run_ids) == 1


def test_other_columns_are_no_start(row_shop: Any, write_csv: Any, here: Path) -> None:
    from gapwise.workflows.init import init

    rows = [[f"r{i}", i % 7, "left" if i % 2 else "right", i % 5, "yes" if i % 3 else "no"]
            for i in range(400)]  # fmt: skip
    write_csv(here / "other.csv", ["id", "height", "side", "size", "label"], rows)
    own = init(here / "other.csv", here / "other.yaml")
    with pytest.raises(PipelineError, match=r"columns that are not the .*height.*same columns"):
        train(str(own), [f"transfer.start={row_shop.run}"], settings=row_shop.settings)


def test_pipelines_that_start_from_one_another_are_refused(pipelines: Path) -> None:
    (pipelines / "pipelines" / "first.yaml").write_text(FIRST + "transfer: {start: second}\n")
    with pytest.raises(PipelineError, match=r"in a circle: second → first → second; let one"):
        train("second")
    assert count("second") == count("first") == 0


def test_what_names_nothing_lists_what_there_is(pipelines: Path) -> None:
    train("first")
    with pytest.raises(PipelineError, match=r"'firts', which names no run .*did you mean first"):
        train("second", ["transfer.start=firts"])
    with pytest.raises(StorageError, match=r"nowhere\.pt cannot be read"):
        train("second", ["transfer.start=nowhere.pt"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("transfer.precompute=true", r"precompute needs frozen layers; set train_last"),
        ("transfer.unfreeze_at=3", r"unfreeze_at needs frozen layers; set train_last"),
        ("transfer.head=drop", r"transfer\.head"),
        ("transfer.freeze=1", r"transfer\.freeze"),
    ],
)
def test_the_section_is_checked_with_the_pipeline(pipelines: Path, change: str, said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        pipeline_file.load("second", [change])


def test_null_is_from_scratch(pipelines: Path) -> None:
    second = run_of(train("second", ["transfer=null", "training.epochs=1"]).run_ids[0])
    assert job_of(second).start == ""
    assert count("first") == 0
