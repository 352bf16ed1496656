"""Ensembles: averages by hand, judged anew, and a run like any other afterwards."""

from dataclasses import replace
from pathlib import Path

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


@pytest.fixture
def settings(home: Path) -> Settings:
    return replace(Settings.read(), mirror=False)


@pytest.fixture
def seeds(settings: Settings) -> list[str]:
    human = ["human=[{error: 0.02, n: 500}]", "diagnosis.delta=0.01"]
    return list(train("digits", [*SMALL, *human], seeds=3, settings=settings).run_ids)


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
    assert set(ensemble(["latest"], settings=settings).as_json()["members"]) == set(seeds)


def test_it_is_a_run_like_any_other(settings: Settings, seeds: list[str]) -> None:
    made = ensemble(seeds, name="three", settings=settings)
    run = RunStore(settings).open("three")
    assert (run.run_id, run.kind, run.status) == (made.run_id, "ensemble", "FINISHED")
    assert set(run.parameters.values()) >= set(seeds)
    diagnosis = diagnose_runs([made.run_id], settings=settings)
    assert [rung.rung for rung in diagnosis.ladder] == ["human", "train", "train_dev", "dev"]
    assert diagnosis.ladder[0].error == 0.02
    assert diagnosis.ladder[-1].error == pytest.approx(made.as_json()["dev_error"])
    compared = compare_runs(seeds[0], made.run_id, settings=settings)
    assert compared.n_shared == made.splits["dev"]


def test_only_shared_examples_are_averaged(settings: Settings, seeds: list[str]) -> None:
    whole = table(settings, seeds[0], "dev")
    half = slice(0, len(whole), 2)
    columns = ("example_id", "target", "predicted", "error", "weight", "loss", "scores", "source")
    part = replace(
        whole, **{name: getattr(whole, name)[half] for name in columns},
        media=None, group=None, metadata={},
    )  # fmt: skip
    store = RunStore(settings)
    with store.create(
        experiment="e", name="half", kind="record", seed=None, group=None, dataset="digits"
    ) as writer:
        write_predictions(writer, {"dev": part})
        writer.finish("FINISHED")
    made = ensemble([seeds[1], writer.run_id], settings=settings)
    assert made.splits == {"dev": len(part)}
    assert table(settings, made.run_id, "dev").example_id.tolist() == part.example_id.tolist()


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
    def test_fewer_than_two_runs(self, settings: Settings, seeds: list[str]) -> None:
        alone = train("digits", SMALL, settings=settings).run_ids[0]
        with pytest.raises(UsageError, match=r"two runs or more.*names 1.*--seeds"):
            ensemble([alone], settings=settings)

    def test_other_datasets(self, settings: Settings, seeds: list[str]) -> None:
        store = RunStore(settings)
        with store.create(
            experiment="e", name="x", kind="record", seed=None, group=None, dataset="other"
        ) as writer:
            write_predictions(writer, {"dev": table(settings, seeds[0], "dev")})
            writer.finish("FINISHED")
        with pytest.raises(DataError, match="different datasets"):
            ensemble([seeds[0], writer.run_id], settings=settings)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"scores": None}, "no scores in dev"),
            ({"classes": tuple("abcdefghij")}, "different things"),
            ({"example_id": "other"}, "share no example of dev"),
            ({"target": 1}, "different labels of"),
        ],
    )
    def test_what_cannot_be_averaged(
        self, settings: Settings, seeds: list[str], change: dict[str, object], says: str
    ) -> None:
        whole = table(settings, seeds[0], "dev")
        if change.get("example_id"):
            change = {"example_id": np.char.add("x", whole.example_id)}
        if change.get("target"):
            change = {"target": (whole.target + 1) % 10, "error": 1 - whole.error}
        with RunStore(settings).create(
            experiment="e", name="x", kind="record", seed=None, group=None, dataset="digits"
        ) as writer:
            write_predictions(writer, {"dev": replace(whole, **change)})
            writer.finish("FINISHED")
        with pytest.raises(DataError, match=says):
            ensemble([seeds[0], writer.run_id], settings=settings)
