"""Find, then read, against reading at once: the system's runs, its ceilings, what does not fit."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import DataError, UsageError
from gapwise.forms.boxes import read
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.example_pictures import of_run
from gapwise.workflows.train import train
from gapwise.workflows.trained_run import open_trained
from gapwise.workflows.two_steps import two_steps

SMALL = [
    "data.dataset.count=300", "splits.dev=60", "splits.test=40", "splits.train_dev=0",
    "training.threads=1", "network.channels=[8]", "network.hidden=16",
]  # fmt: skip


class Runs(NamedTuple):
    find: str
    read: str
    whole: str


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("two-steps")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAPWISE_HOME", str(folder / "home"))
        patch.setenv("GAPWISE_CACHE", str(folder / "cache"))
        patch.setenv("GAPWISE_MIRROR", "off")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        found = [
            train("digit-place", [*SMALL, "data.dataset.least=1", "training.epochs=2"]),
            train("digit-crops", [*SMALL, "training.epochs=6"]),
            train("digit-in-scene", [*SMALL, "training.epochs=1"]),
        ]
        yield Runs(*(one.run_ids[0] for one in found))


def test_the_system_is_two_runs_with_ceilings(runs: Runs) -> None:
    found = two_steps(runs.find, runs.read, against=runs.whole)
    store, settings = RunStore(Settings.read()), Settings.read()
    as_it_is, perfect = (store.open(one) for one in (found.as_it_is, found.find_perfect))
    whole = store.open(runs.whole)
    assert {as_it_is.dataset, perfect.dataset} == {whole.dataset}
    assert set(as_it_is.splits()) == {"train", "dev", "test"}
    end, best, other = (
        tables.read(run.needed_predictions("dev"), split="dev")
        for run in (as_it_is, perfect, whole)
    )
    assert end.example_id.tolist() == other.example_id.tolist()
    assert np.array_equal(end.target, other.target)
    # A reader that sees the true box says what it said of the crop that it was judged on.
    crops = tables.read(store.open(runs.read).needed_predictions("dev"), split="dev")
    assert crops.example_id.tolist() == best.example_id.tolist()
    assert np.array_equal(best.predicted, crops.predicted)
    assert np.allclose(best.scores, crops.scores, atol=1e-5)
    assert not np.array_equal(end.predicted, best.predicted)

    ceiling = found.ceiling
    assert ceiling.steps == ("find", "read")
    assert [one.error for one in ceiling.settings] == pytest.approx(
        [end.error.mean(), best.error.mean()]
    )
    assert sum(gain.gain for gain in ceiling.gains) == pytest.approx(end.error.mean())
    assert found.against is not None
    assert found.against.difference == pytest.approx(end.error.mean() - other.error.mean())
    assert found.left_out == {}
    picture = of_run(as_it_is, store, "dev")(str(end.example_id[0]))
    assert picture is not None
    assert picture.shape == (64, 64)
    with pytest.raises(UsageError, match=f"made of other runs.*{runs.find}, {runs.read}"):
        open_trained(found.as_it_is, settings)


def test_the_command_gives_the_document(runs: Runs) -> None:
    words = ["two-step", runs.find, runs.read, "--against", runs.whole]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert set(document) == {
        "as_it_is", "find_perfect", "left_out", "ceiling", "end_to_end", "against",
    }  # fmt: skip
    assert document["ceiling"]["steps"] == ["find", "read"]
    assert document["against"]["split"] == "dev"
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0
    assert "nothing: the system as it is" in shown.stdout
    assert "B: one network from end to end" in shown.stdout


def test_the_box_with_the_highest_score_is_read(runs: Runs) -> None:
    """A finder that is told the truth makes the system what it is with finding perfect."""
    store = RunStore(Settings.read())
    path = store.open(runs.find).needed_predictions("dev")
    before = path.read_bytes()
    frame = pd.read_parquet(path)

    def with_a_worse_one(text: str) -> str:
        (box,) = json.loads(text)
        return json.dumps([{"class": "0", "box": [0, 0, 9, 9], "score": 0.6}, box | {"score": 0.7}])

    try:
        frame["predicted"] = frame["target"].map(with_a_worse_one)
        table = tables.read(path, split="dev")
        tables.write(path, _replaced(table, frame["predicted"].to_numpy(str)))
        found = two_steps(runs.find, runs.read)
    finally:
        path.write_bytes(before)
    assert found.ceiling.gains[0].gain == 0
    run = store.open(found.as_it_is)
    assert run.dataset.endswith("one-box-read")


def _replaced(table: Any, predicted: Any) -> Any:
    from dataclasses import replace

    return replace(table, predicted=predicted)


def test_scenes_without_a_digit_are_left_out_and_counted(runs: Runs) -> None:
    sometimes = train("digit-place", [*SMALL, "training.epochs=1"]).run_ids[0]
    table = tables.read(RunStore(Settings.read()).open(sometimes).needed_predictions("dev"))
    without = sum(not read(str(text)) for text in table.target)
    assert without > 10
    found = two_steps(sometimes, runs.read)
    assert found.left_out["dev"] == without
    assert found.ceiling.n == len(table) - without


def test_steps_that_do_not_fit_are_refused(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="finds no boxes but tells 10 classes"):
        two_steps(runs.read, runs.read)
    with pytest.raises(UsageError, match="crops are squares"):
        two_steps(runs.find, runs.find)
    other = train("digit-crops", [*SMALL, "splits.seed=5", "training.epochs=1"]).run_ids[0]
    with pytest.raises(DataError, match=r"dev examples of run .* trained the reader"):
        two_steps(runs.find, other)
