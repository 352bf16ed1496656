"""Ensembles: averages by hand, judged anew, and a run like any other afterwards."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gapwise.errors import DataError, UsageError
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.ensemble import ensemble
from gapwise.workflows.record import write_predictions
from gapwise.workflows.train import train
from gapwise.workflows.trained_run import open_trained

SMALL = ["network=multilayer-perceptron", "training.epochs=2", "training.threads=1"]
ROWS = "id,size,kind,price,wet,cold\n" + "\n".join(
    f"e{i},{i % 9},{'ab'[i % 2]},{100 + 7 * (i % 9)},{'yn'[i % 2]},{['no', 'some', '?'][i % 3]}"
    for i in range(200)
)
TABLE = """
data:
  dataset: {{name: manifest, path: t.csv, features: [size, kind], {columns}}}
  duplicates: allow
task: {task}
network: {{name: multilayer-perceptron, hidden: [8]}}
splits: {{dev: 50, test: 50, train_dev: 0}}
training: {{epochs: 2, threads: 1}}
"""


def table(settings: Settings, run_id: str, split: str) -> Predictions:
    path = RunStore(settings).open(run_id).predictions_path(split)
    assert path is not None
    return tables.read(path, split=split)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home that the tests of this file share; each adds runs of its own."""
    folder = tmp_path_factory.mktemp("ensembles")
    home = folder / "home"
    return Settings(
        home=home,
        cache=folder / "cache",
        tracking_uri=f"sqlite:///{home / 'mlflow.db'}",
        ledger_url=f"sqlite:///{home / 'ledger.db'}",
        mirror=False,
    )


@pytest.fixture(scope="module")
def seeds(settings: Settings) -> list[str]:
    human = ["human=[{error: 0.02, n: 500}]", "diagnosis.delta=0.03"]
    return list(train("digits", [*SMALL, *human], seeds=3, settings=settings).run_ids)


def record(
    settings: Settings, tables_of: dict[str, Predictions], *, dataset: str = "digits"
) -> str:
    """A run whose predictions were made elsewhere."""
    with RunStore(settings).create(
        experiment="e", name="x", kind="record", seed=None, group=None, dataset=dataset
    ) as writer:
        write_predictions(writer, tables_of)
        writer.finish("FINISHED")
    return writer.run_id


def test_probabilities_are_averaged_and_judged_anew(settings: Settings, seeds: list[str]) -> None:
    made = ensemble(seeds, settings=settings)
    for split in ("train", "train_dev", "dev", "test"):
        members = [table(settings, run, split) for run in seeds]
        found = table(settings, made.run_id, split)
        assert made.splits[split] == len(found) == len(members[0])
        scores = np.mean([member.scores for member in members], axis=0)
        np.testing.assert_allclose(found.scores, scores, rtol=1e-6)
        np.testing.assert_array_equal(found.predicted, scores.argmax(axis=1))
        np.testing.assert_array_equal(found.error, scores.argmax(axis=1) != members[0].target)
        likelihood = scores[np.arange(len(scores)), members[0].target]
        np.testing.assert_allclose(found.loss, -np.log(likelihood), rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(found.example_id, members[0].example_id)
    assert made.as_json()["members"].keys() == set(seeds)


def test_one_seed_of_a_group_brings_all(settings: Settings, seeds: list[str]) -> None:
    assert set(ensemble(seeds[:1], settings=settings).members) == set(seeds)


def test_it_is_a_run_like_any_other(settings: Settings, seeds: list[str]) -> None:
    made = ensemble(seeds, name="three", settings=settings)
    run = RunStore(settings).open("three")
    assert (run.run_id, run.kind, run.status) == (made.run_id, "ensemble", "FINISHED")
    assert list(run.members) == seeds
    assert [run.parameters[f"member.{i}"] for i in (1, 2, 3)] == seeds
    member = RunStore(settings).open(seeds[0])
    for tag in ("input_shape", "splits", "notes", "quarantined", "same_distribution"):
        assert run.tags[f"gapwise.{tag}"] == member.tags[f"gapwise.{tag}"]
    diagnosis = diagnose_runs([made.run_id], settings=settings)
    assert [rung.rung for rung in diagnosis.ladder] == ["human", "train", "train_dev", "dev"]
    assert diagnosis.ladder[0].error == 0.02
    assert diagnosis.ladder[-1].error == pytest.approx(made.as_json()["dev_error"])
    assert "test/error" not in run.metrics
    commands = [knob.command for finding in diagnosis.findings for knob in finding.knobs]
    assert any(command.startswith("gapwise train digits ") for command in commands)


def test_it_compares_with_a_member_as_what_it_is(settings: Settings, seeds: list[str]) -> None:
    made = ensemble(seeds, settings=settings)
    compared = compare_runs(seeds[0], made.run_id, settings=settings)
    assert compared.n_shared == made.splits["dev"]
    difference = made.errors[seeds[0]] - made.errors[made.run_id]
    assert compared.difference == pytest.approx(difference)
    assert compared.knobs_changed["ensemble.members"] == (None, [run[:12] for run in seeds])
    assert compared.extra["credit"] == "ensemble.members alone moved"
    with pytest.raises(DataError, match=r"not seeds of one pipeline: .*ensemble\.members"):
        diagnose_runs([seeds[0], made.run_id], settings=settings)


def test_its_pipeline_is_what_the_members_agree_in(settings: Settings, seeds: list[str]) -> None:
    other = train("digits", ["training.epochs=1", "training.threads=1"], settings=settings)
    made = ensemble([seeds[0], *other.run_ids], settings=settings)
    run = RunStore(settings).open(made.run_id)
    pipeline = run.pipeline()
    member = RunStore(settings).open(seeds[0]).pipeline()
    assert pipeline is not None
    assert member is not None
    assert pipeline["data"] == member["data"]
    assert "network" not in pipeline
    assert "epochs" not in pipeline["training"]
    assert pipeline["training"]["batch_size"] == member["training"]["batch_size"]
    # Of what decides the diagnosis, the first's.
    assert pipeline["human"] == member["human"]
    assert pipeline["diagnosis"] == {"delta": 0.03}


def test_it_has_no_network_and_says_whose_there_are(settings: Settings, seeds: list[str]) -> None:
    made = ensemble(seeds, settings=settings)
    told = rf"is made of other runs \(ensemble\) .* {seeds[0]}, {seeds[1]}"
    with pytest.raises(UsageError, match=told):
        open_trained(made.run_id, settings)


def test_only_shared_examples_are_averaged(settings: Settings, seeds: list[str]) -> None:
    whole = table(settings, seeds[0], "dev")
    half = slice(0, len(whole), 2)
    columns = ("example_id", "target", "predicted", "error", "weight", "loss", "scores", "source")
    part = replace(
        whole, **{name: getattr(whole, name)[half][::-1] for name in columns},
        media=None, group=None, metadata={},
    )  # fmt: skip
    recorded = record(settings, {"dev": part})
    made = ensemble([seeds[1], recorded], settings=settings)
    assert made.splits == {"dev": len(part)}
    assert made.left_out == {"dev": len(whole) - len(part)}
    found = table(settings, made.run_id, "dev")
    assert found.example_id.tolist() == part.example_id.tolist()[::-1]
    other = table(settings, seeds[1], "dev")
    by_hand = (other.scores[half] + part.scores[::-1]) / 2
    np.testing.assert_allclose(found.scores, by_hand, rtol=1e-6)
    shared = np.isin(other.example_id, part.example_id)
    assert made.errors[seeds[1]] == pytest.approx(other.error[shared].mean())
    notes = RunStore(settings).open(made.run_id).tags["gapwise.notes"]
    assert f"{len(whole) - len(part)} examples of dev are left out" in notes


def test_runs_made_elsewhere_are_averaged_by_their_classes(settings: Settings) -> None:
    names, targets = np.array(["a", "b", "c"]), np.array([0, 1, 1])
    first = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], np.float32)
    second = np.array([[0.3, 0.7], [0.1, 0.9], [0.3, 0.7]], np.float32)
    runs = [
        record(settings, {"dev": foreign(names, targets, scores)}, dataset="pets")
        for scores in (first, second)
    ]
    made = ensemble(runs, settings=settings)
    found = table(settings, made.run_id, "dev")
    assert found.predicted.tolist() == [0, 1, 1]
    assert found.classes == ("cat", "dog")
    np.testing.assert_allclose(found.loss, -np.log([0.6, 0.65, 0.75]), rtol=1e-5)
    assert made.errors == {runs[0]: pytest.approx(1 / 3), runs[1]: pytest.approx(1 / 3),
                           made.run_id: 0.0}  # fmt: skip
    assert RunStore(settings).open(made.run_id).pipeline() is None


def foreign(names: Any, targets: Any, scores: Any) -> Predictions:
    predicted = scores.argmax(axis=1)
    return Predictions(
        split="dev",
        example_id=names,
        target=targets,
        predicted=predicted,
        error=(predicted != targets).astype(float),
        weight=np.ones(len(names)),
        classes=("cat", "dog"),
        scores=scores,
    )


def trained(name: str, columns: str, task: str, settings: Settings) -> list[str]:
    Path("t.csv").write_text(ROWS)
    Path(f"{name}.yaml").write_text(TABLE.format(columns=columns, task=task))
    return list(train(f"{name}.yaml", [], seeds=2, settings=settings).run_ids)


def test_numbers_are_averaged_in_their_unit(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = trained("homes", "target: number, columns: {label: price}", "regress", settings)
    made = ensemble(runs, settings=settings)
    members = [table(settings, run, "dev") for run in runs]
    found = table(settings, made.run_id, "dev")
    mean = np.mean([member.predicted for member in members], axis=0)
    np.testing.assert_allclose(found.predicted, mean, rtol=1e-5)
    np.testing.assert_allclose(
        found.error, np.minimum(1, np.abs(mean - found.target) / found.target), rtol=1e-4
    )


def test_each_of_several_labels_is_averaged(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = trained("skies", "columns: {label: [wet, cold]}", "multi-task", settings)
    made = ensemble(runs, settings=settings)
    scores = np.mean([table(settings, run, "dev").scores for run in runs], axis=0)
    found = table(settings, made.run_id, "dev")
    np.testing.assert_array_equal(found.predicted[:, 0], scores[:, :2].argmax(axis=1))
    np.testing.assert_array_equal(found.predicted[:, 1], scores[:, 2:].argmax(axis=1))
    known = found.target[:, 1] >= 0
    wrong = (found.predicted[:, 1] != found.target[:, 1])[known]
    np.testing.assert_array_equal(found.metadata["error_cold"][known], wrong)


class TestRefused:
    def test_fewer_than_two_runs(self, settings: Settings) -> None:
        alone = train("digits", SMALL, settings=settings).run_ids[0]
        with pytest.raises(UsageError, match=r"two runs or more.*names 1.*--seeds"):
            ensemble([alone, alone], settings=settings)

    def test_other_datasets(self, settings: Settings, seeds: list[str]) -> None:
        recorded = record(settings, {"dev": table(settings, seeds[0], "dev")}, dataset="other")
        with pytest.raises(DataError, match="different datasets"):
            ensemble([seeds[0], recorded], settings=settings)

    def test_runs_without_predictions(self, settings: Settings, seeds: list[str]) -> None:
        bare = record(settings, {})
        with pytest.raises(DataError, match=rf"run {bare} .* has no predictions to average"):
            ensemble([seeds[0], bare], settings=settings)

    def test_runs_that_share_no_split(self, settings: Settings, seeds: list[str]) -> None:
        dev = record(settings, {"dev": table(settings, seeds[0], "dev")})
        train_alone = record(settings, {"train": table(settings, seeds[0], "train")})
        with pytest.raises(DataError, match=r"share no split \(.* has dev; .* has train\)"):
            ensemble([dev, train_alone], settings=settings)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda t: {"scores": None}, "has no scores in dev"),
            (
                lambda t: {"scores": 5 * t.scores},
                r"scores in dev that are no probabilities \(row 1: ",
            ),
            (
                lambda t: {"classes": tuple("abcdefghij")},
                r"different things in dev: 10 classes \(0, 1, .*, and 10 classes \(a, b, ",
            ),
            (
                lambda t: {"example_id": np.char.add("x", t.example_id)},
                r"share 0 of 400 and 400 dev examples",
            ),
            (
                lambda t: {"target": np.where(np.arange(len(t)) == 3, 9 - t.target, t.target)},
                r"disagree on the label of 1 of 400 shared dev examples, \S+ first",
            ),
            (
                lambda t: {"error": t.error / 2},
                r"measures errors differently: example \S+ of dev has error 0\.5 there and 1 by",
            ),
        ],
    )
    def test_what_cannot_be_averaged(
        self,
        settings: Settings,
        seeds: list[str],
        change: Callable[[Predictions], dict[str, Any]],
        says: str,
    ) -> None:
        whole = table(settings, seeds[0], "dev")
        recorded = record(settings, {"dev": replace(whole, **change(whole))})
        runs = len(RunStore(settings).rows())
        with pytest.raises(DataError, match=says):
            ensemble([seeds[0], recorded], settings=settings)
        assert len(RunStore(settings).rows()) == runs
