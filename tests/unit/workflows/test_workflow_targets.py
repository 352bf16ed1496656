"""Numbers and several labels from the manifest to diagnosis, comparison, prediction and export."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from gapwise.errors import DataError, PipelineError
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.training.predict import load_network
from gapwise.workflows import export_safetensors
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.export import export
from gapwise.workflows.predict import predict
from gapwise.workflows.record import RecordRequest, record_file
from gapwise.workflows.train import train

N = 600
HEAD = """
splits: {dev: 0.25, test: 0.2, train_dev: 0.1}
network: {name: multilayer-perceptron, hidden: [16]}
training: {epochs: 12, batch_size: 32, optimizer: {name: adam, lr: 1e-2}, device: cpu, threads: 1}
"""
HOMES = "data: {dataset: {name: manifest, path: %s, columns: {label: price}, target: number}}\n"
SKIES = "data: {dataset: {name: manifest, path: %s, columns: {label: [wet, cold]}}}\n"


class Town:
    """A folder with manifests and pipelines, and the runs ``homes``, ``others`` and ``skies``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(
            home=folder / "home",
            cache=folder / "cache",
            tracking_uri=f"sqlite:///{folder / 'home' / 'mlflow.db'}",
            ledger_url=f"sqlite:///{folder / 'home' / 'ledger.db'}",
        )
        random = np.random.default_rng(0)
        size, rooms = random.uniform(1, 9, N), random.integers(1, 6, N)
        price = 1000 * size * rooms * np.exp(random.normal(0, 0.05, N))
        homes = pd.DataFrame({"id": [f"h{i}" for i in range(N)], "size": size, "rooms": rooms})
        homes.assign(price=price.round(2)).to_csv(folder / "homes.csv", index=False)
        wet = np.where(size > 5, "yes", "no")
        cold = np.array(["no", "some", "much"])[np.digitize(rooms + size / 4, [3, 5])]
        cold[random.random(N) < 0.3] = "?"
        homes.assign(wet=wet, cold=cold).to_csv(folder / "skies.csv", index=False)
        (folder / "homes.yaml").write_text(
            HOMES % (folder / "homes.csv") + "task: {name: regress, log: true}" + HEAD
        )
        (folder / "skies.yaml").write_text(
            SKIES % (folder / "skies.csv") + "task: multi-task" + HEAD
        )
        self.homes = self.train("homes")
        self.others = self.train("homes", "training.epochs=1")
        self.skies = self.train("skies")

    def train(self, name: str, *overrides: str) -> str:
        """Train a pipeline; return the run's id."""
        path = str(self.folder / f"{name}.yaml")
        return train(path, overrides, settings=self.settings).run_ids[0]

    def table(self, run: str, split: str = "dev") -> Any:
        """Return the stored predictions of a run."""
        return tables.read(RunStore(self.settings).open(run).predictions_path(split))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town"))


def test_stored_errors_are_what_the_task_says(town: Town) -> None:
    table = town.table(town.homes)
    assert table.labels.kind == "number"
    distance = np.abs(table.predicted - table.target) / table.target
    assert table.error.tolist() == pytest.approx(np.minimum(1, distance).tolist(), abs=1e-5)
    assert table.error.mean() < 0.25  # 0.6 for the best constant
    assert table.scores is None
    several = town.table(town.skies)
    known = several.target >= 0
    wrong = known & (several.predicted != several.target)
    assert several.error.tolist() == pytest.approx((wrong.sum(1) / known.sum(1)).tolist())
    own = several.metadata["error_cold"]
    assert np.array_equal(np.isnan(own), ~known[:, 1])
    assert np.array_equal(own[known[:, 1]], wrong[known[:, 1], 1].astype(float))


def test_targets_are_scaled_by_the_train_split_alone(town: Town) -> None:
    run = RunStore(town.settings).open(town.homes)
    fitted = load_network(run.folder / "checkpoints").spec.fitted
    logs = np.log(town.table(town.homes, "train").target)
    assert fitted["mean"] == pytest.approx(logs.mean(), rel=1e-6)
    assert fitted["deviation"] == pytest.approx(logs.std(), rel=1e-6)


def test_a_diagnosis_of_numbers_adds_errors_in_their_unit(town: Town) -> None:
    document = diagnose_runs([town.homes], settings=town.settings).as_json()
    real = document["real_units"]
    assert real["name"] == "price"
    assert set(real["splits"]) == {"train", "train_dev", "dev"}
    table = town.table(town.homes)
    assert real["splits"]["dev"]["mae"] == pytest.approx(
        np.abs(table.predicted - table.target).mean()
    )
    assert real["splits"]["dev"]["n"] == len(table)
    shown = diagnose_runs([town.homes], settings=town.settings, test=True).as_json()
    assert "test" in shown["real_units"]["splits"]
    assert not [f for f in document["findings"] if f["diagnostic"] == "missing-classes"]


def test_a_diagnosis_of_several_labels_has_a_ladder_each(town: Town) -> None:
    document = diagnose_runs([town.skies], settings=town.settings).as_json()
    assert list(document["labels"]) == ["wet", "cold"]
    own = town.table(town.skies).metadata["error_cold"]
    (rung,) = [r for r in document["labels"]["cold"]["ladder"] if r["rung"] == "dev"]
    assert rung["n"] == int((~np.isnan(own)).sum()) < len(own)
    assert rung["error"] == pytest.approx(np.nanmean(own))
    assert rung["low"] < rung["error"] < rung["high"]
    assert not [f for f in document["findings"] if f["diagnostic"] == "missing-classes"]
    json.dumps(document, allow_nan=False)


def test_seeds_are_diagnosed_together(town: Town) -> None:
    """Unknown labels drop out of every run alike."""
    path = str(town.folder / "skies.yaml")
    trained = train(path, ["training.epochs=2"], seeds=2, settings=town.settings)
    document = trained.as_json()["diagnosis"]
    assert document["seeds"] == 2
    assert {r["rung"] for r in document["labels"]["cold"]["ladder"]} == {
        "train",
        "train_dev",
        "dev",
    }


def test_fractions_are_compared_by_sign_flips(town: Town) -> None:
    found = compare_runs(town.others, town.homes, settings=town.settings)
    document = found.as_json()
    assert document["test"] == "sign flips by example"
    assert document["fractional"]
    assert document["verdict"] == "b"
    errors = town.table(town.others).error - town.table(town.homes).error
    assert document["difference"] == pytest.approx(errors.mean())
    ids = town.table(town.homes).example_id
    assert document["fixed_ids"][0] == str(ids[np.argmax(errors)])
    assert document["fixed"] == int((errors > 0).sum())


def test_what_was_measured_otherwise_is_not_compared(town: Town) -> None:
    other = town.train("homes", "task.error=range", "training.epochs=1")
    with pytest.raises(
        DataError, match=r"measure errors differently \(task.error: relative and ra"
    ):
        compare_runs(town.homes, other, settings=town.settings)
    with pytest.raises(
        DataError, match=r"different things on 158 shared examples, numbers .price. and 2 labels"
    ):
        compare_runs(town.homes, town.skies, settings=town.settings)


def test_the_same_rows_get_the_same_predictions(town: Town, tmp_path: Path) -> None:
    for run, source in ((town.homes, "homes.csv"), (town.skies, "skies.csv")):
        out = tmp_path / f"{run}.parquet"
        _, count, bad = predict(run, town.folder / source, out, settings=town.settings)
        assert (count, bad) == (N, 0)
        found, stored = tables.read(out), town.table(run)
        rows = {str(name): row for row, name in enumerate(found.example_id)}
        order = [rows[str(name)] for name in stored.example_id]
        assert found.labels == stored.labels
        assert np.array_equal(found.target[order], stored.target)
        assert np.allclose(found.predicted[order], stored.predicted, rtol=1e-5)
        assert np.allclose(found.error[order], stored.error, atol=1e-5)
        assert np.allclose(found.loss[order], stored.loss, atol=1e-4)


def test_rows_without_labels_are_predicted(town: Town, tmp_path: Path) -> None:
    blind = tmp_path / "blind.csv"
    frame = pd.read_csv(town.folder / "homes.csv").drop(columns="price")
    frame.to_csv(blind, index=False)
    predict(town.homes, blind, tmp_path / "p.csv", settings=town.settings)
    found = pd.read_csv(tmp_path / "p.csv")
    assert list(found) == ["example_id", "weight", "predicted"]
    assert (found["predicted"] > 0).all()
    frame.assign(price=["" if i % 2 else 1000 + i for i in range(N)]).to_csv(blind, index=False)
    predict(town.homes, blind, tmp_path / "q.csv", settings=town.settings)
    half = pd.read_csv(tmp_path / "q.csv")
    assert half["target"].isna().sum() == half["error"].isna().sum() == N // 2
    frame.assign(wet="yes").to_csv(blind, index=False)
    predict(town.skies, blind, tmp_path / "r.csv", settings=town.settings)
    one = pd.read_csv(tmp_path / "r.csv")
    assert json.loads(one["target"][0]) == {"wet": "yes", "cold": None}
    assert {"score_wet=yes", "score_cold=much", "error_wet"} <= set(one)
    assert one["error_cold"].isna().all()


def test_an_exported_network_knows_the_unit(town: Town, tmp_path: Path) -> None:
    path, difference = export(town.homes, "safetensors", tmp_path / "x.safetensors", town.settings)
    assert difference == 0
    model = export_safetensors.read(path)
    assert model.spec.labels.names == ("price",)
    table = town.table(town.homes)
    prepared = RunStore(town.settings).open(town.homes)
    inputs = np.load(
        Path(json.loads((prepared.folder / "job.json").read_text())["data"]) / "inputs.npy"
    )
    with torch.inference_mode():
        predicted = model.task.predict(model(torch.from_numpy(inputs)))
    assert predicted.min() > 0
    assert np.isclose(predicted.numpy(), table.predicted[0], rtol=1e-4).any()


def test_a_task_that_does_not_fit_the_data_is_refused_before_training(town: Town) -> None:
    with pytest.raises(PipelineError, match=r"for one class an example, but the data has one numb"):
        town.train("homes", "task=classify")
    with pytest.raises(
        PipelineError, match="multi-label wants two classes a label, but cold has 3"
    ):
        town.train("skies", "task=multi-label")


def test_recorded_numbers_stay_numbers(town: Town, tmp_path: Path) -> None:
    table = town.table(town.homes)
    columns = {"example_id": table.example_id, "target": table.target, "error": table.error}
    frame = pd.DataFrame(columns | {"predicted": table.predicted, "split": "dev"})
    frame.to_csv(tmp_path / "mine.csv", index=False)
    run = record_file(RecordRequest(file=tmp_path / "mine.csv"), town.settings)
    path = RunStore(town.settings).open(run).predictions_path("dev")
    assert str(pq.read_schema(path).field("target").type) == "double"
    document = diagnose_runs([run], settings=town.settings).as_json()
    ours = diagnose_runs([town.homes], settings=town.settings).as_json()
    dev = ours["real_units"]["splits"]["dev"]
    assert document["real_units"]["splits"]["dev"]["rmse"] == pytest.approx(dev["rmse"], rel=1e-6)
    assert compare_runs(run, town.homes, settings=town.settings).difference == pytest.approx(0)
    # Without predictions nothing is known in the unit, and nothing is claimed.
    frame.drop(columns="predicted").to_csv(tmp_path / "errors.csv", index=False)
    bare = record_file(RecordRequest(file=tmp_path / "errors.csv"), town.settings)
    told = diagnose_runs([bare], settings=town.settings).as_json()
    assert "real_units" not in told
    assert not [f for f in told["findings"] if f["diagnostic"] == "missing-classes"]
