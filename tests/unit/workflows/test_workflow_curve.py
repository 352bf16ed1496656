"""gapwise curve: runs by size and seed, none trained twice, and the last curve kept."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

from gapwise.errors import DataError, PipelineError, StorageError, UsageError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows.curve import Wanted, curve
from gapwise.workflows.curve_store import all_latest, latest
from gapwise.workflows.init import init
from gapwise.workflows.train import train

QUICK = ["network=multilayer-perceptron", "training.epochs=4"]
QUICK += ["training.device=cpu", "training.threads=1"]
FOUR = (50, 0.125, 0.3, 897)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with a curve of four sizes and one seed, and what the call gave."""
    folder = tmp_path_factory.mktemp("curve")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAPWISE_MIRROR", "off")
        settings = Settings(
            home=folder / "home",
            cache=folder / "cache",
            tracking_uri=f"sqlite:///{folder / 'home' / 'mlflow.db'}",
            ledger_url=f"sqlite:///{folder / 'home' / 'ledger.db'}",
            mirror=False,
        )
        return settings, curve("digits", QUICK, Wanted(sizes=FOUR, seeds=1), settings=settings)


def test_a_curve_has_a_point_a_size_and_its_runs_stand_apart(made) -> None:
    settings, found = made
    store = RunStore(settings)
    assert [point.size for point in found.variants[0].curve.points] == [50, 112, 269, 897]
    assert (found.trained, found.reused, found.seeds) == (4, 0, (0,))
    assert store.experiments() == ["digits-curve"]
    run = store.open(found.variants[0].run_ids[50][0])
    assert (run.name, run.kind, run.status) == ("digits-n50", "curve", "FINISHED")
    assert run.tags["gapwise.curve.size"] == "50"
    json.dumps(found.as_json(), allow_nan=False)


def test_the_last_curve_is_read_back_and_kept_with_a_run(made) -> None:
    settings, found = made
    assert latest(settings, "digits") == found
    assert latest(settings, "adult") is None
    assert all_latest(settings) == [found]
    run = RunStore(settings).open(found.variants[0].run_ids[897][0])
    kept = json.loads(run.artifact("learning_curve.json").read_text())
    assert kept["says"] == found.says


def test_nothing_is_trained_twice(made) -> None:
    settings, found = made
    more = curve("digits", QUICK, Wanted(sizes=FOUR, seeds=2), settings=settings)
    assert (more.trained, more.reused) == (4, 4)
    assert more.variants[0].run_ids[50][0] == found.variants[0].run_ids[50][0]
    again = curve("digits", QUICK, Wanted(sizes=FOUR, seeds=2), settings=settings)
    assert (again.trained, again.reused) == (0, 8)
    assert again.variants[0].curve == more.variants[0].curve


def test_a_stopped_point_goes_on(made, monkeypatch) -> None:
    """The run whose training failed is taken up again: no new run is made for it."""
    settings, _ = made

    def broken(*_args, **_kwargs):
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("gapwise.workflows.seed_run.write_predictions", broken)
        with pytest.raises(StorageError, match="disk is full"):
            curve("digits", QUICK, Wanted(sizes=(60,), seeds=1), settings=settings)
    before = set(RunStore(settings).rows()["run_id"])
    found = curve("digits", QUICK, Wanted(sizes=(60,), seeds=1), settings=settings)
    assert set(RunStore(settings).rows()["run_id"]) == before
    assert found.trained == 1
    assert "1 sizes" in found.says


def test_latest_and_best_pass_over_parts_of_the_data(made) -> None:
    settings, _ = made
    run_id = train("digits", [*QUICK, "training.epochs=1"], settings=settings).run_ids[0]
    curve("digits", QUICK, Wanted(sizes=(70,), seeds=1), settings=settings)
    store = RunStore(settings)
    assert store.open("latest").run_id == store.open("best").run_id == run_id


def test_several_networks_are_curves_of_one_answer(made) -> None:
    settings, _ = made
    wanted = Wanted(sizes=(50, 100), seeds=1, variants=(("network.hidden=[4]",),))
    found = curve("digits", QUICK, wanted, settings=settings)
    assert [variant.name for variant in found.variants] == ["", "network.hidden=[4]"]
    assert found.variants[1].pipeline["network"]["hidden"] == [4]


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ((5, 50), "5 is too few"),
        ((0.001,), r"0.001 \(1 examples\)"),
        ((4000,), "there are 897"),
        ((float("inf"),), "inf is no count"),
        ((100, float("nan")), "nan is no count"),
    ],
)
def test_a_size_that_cannot_be_is_refused_before_training(made, sizes, says) -> None:
    with pytest.raises(UsageError, match=says):
        curve("digits", QUICK, Wanted(sizes=sizes), settings=made[0])


def test_an_unknown_network_size_names_the_nearest(made) -> None:
    wanted = Wanted(variants=(("network.hiden=[4]",),))
    with pytest.raises(PipelineError, match="hidden"):
        curve("digits", QUICK, wanted, settings=made[0])


def test_a_training_set_too_small_is_said(made) -> None:
    few = [*QUICK, "splits.target_in_train=0", "splits.train_dev=0.99"]
    with pytest.raises(DataError, match="a learning curve needs at least 20"):
        curve("digits", few, settings=made[0])


def test_groups_come_whole(made, tmp_path: Path, monkeypatch) -> None:
    """Iris with six flowers a field: sizes are what whole fields come to."""
    monkeypatch.chdir(tmp_path)
    data = load_iris()
    with (tmp_path / "iris.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", *"abcd", "group", "label"])
        for place, row in enumerate(np.random.default_rng(0).permutation(150)):
            values = [f"{value:.2f}" for value in data.data[row]]
            writer.writerow([f"i{place}", *values, f"field {place // 6}", f"k{data.target[row]}"])
    pipeline = init(tmp_path / "iris.csv", tmp_path / "iris.yaml")
    overrides = ["training.epochs=2", "training.device=cpu", "data.duplicates=allow"]
    found = curve(str(pipeline), overrides, Wanted(sizes=(20, 40), seeds=1), settings=made[0])
    assert all(point.size % 6 == 0 for point in found.variants[0].curve.points)


def test_a_damaged_file_is_told(made) -> None:
    settings = made[0]
    path = settings.home / "curves" / "broken.json"
    path.write_text('{"pipeline": "broken"}')
    with pytest.raises(StorageError, match=r"broken.json is damaged"):
        latest(settings, "broken")
    path.unlink()
