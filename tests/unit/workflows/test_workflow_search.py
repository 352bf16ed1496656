"""`gapwise search`: on real digits, from the space to the confirmed winner."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from gapwise.errors import (
    BusyError,
    DataError,
    PipelineError,
    StoppedError,
    StorageError,
    TrainingError,
    UsageError,
)
from gapwise.records import Job, JobResult
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, replay
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.client import connect
from gapwise.tracking.lock import RunLock
from gapwise.tracking.store import RunStore
from gapwise.training.trial import run_trial
from gapwise.workers.base import Context
from gapwise.workflows import far_jobs, seed_run
from gapwise.workflows import search as searching
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.prepare import read
from gapwise.workflows.search import Searched, SearchRequest, search
from gapwise.workflows.search_jobs import trial_folder
from gapwise.workflows.search_plan import search_of
from gapwise.workflows.search_record import Recorder, run_id_of
from gapwise.workflows.search_study import latest_study, open_study

PIPELINE = """
data:
  dataset: digits
splits: {dev: 400, test: 100, train_dev: 100, target_in_train: 300}
network: {name: multilayer-perceptron, hidden: [16]}
training:
  epochs: 4
  batch_size: 64
  optimizer: {name: adam, lr: 1e-4}
  device: cpu
search:
  space:
    training.optimizer.lr: {scale: log, low: 1e-4, high: 1e-1}
    network.hidden: {choices: [[16], [64]], tier: 2}
    training.schedule: {choices: [constant, cosine], tier: 3}
  rounds:
    - {trials: 6, sampler: sobol}
    - {trials: 4, sampler: tpe, tiers: [1, 3]}
  rungs: {first: 1, eta: 2}
  confirm: {seeds: 2, share: 0.5}
"""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A pipeline in a home that the module's tests share: each searches under a seed of its own."""
    root = tmp_path_factory.mktemp("search")
    (root / "tiny.yaml").write_text(PIPELINE)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL", "GAPWISE_STUDIES_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_HOME", str(root / "home"))
        patch.setenv("GAPWISE_CACHE", str(root / "cache"))
        yield str(root / "tiny.yaml")


def searched(pipeline: str, *overrides: str, again: bool = False) -> Searched:
    return search(
        SearchRequest(name=pipeline, overrides=overrides, workers="in-process", again=again)
    )


@pytest.fixture(scope="module")
def done(pipeline: str) -> Searched:
    return searched(pipeline)


def test_it_finds_confirms_records_and_mirrors(pipeline: str, done: Searched) -> None:
    document = json.loads(json.dumps(done.as_json(), allow_nan=False))
    assert set(document) >= {"study", "rounds", "best"}
    assert [(one["round"], one["trials"]) for one in document["rounds"]] == [(1, 6), (2, 4)]
    assert document["rounds"][0]["space"]["training.optimizer.lr"] == [1e-4, 1e-1]
    assert document["rounds"][0]["space"]["network.hidden"] == [[16], [64]]
    best = document["best"]
    assert set(best) >= {"run_id", "parameters", "error"}
    # The pipeline's rate is a hundred times too low: the winner is surely better.
    assert best["parameters"]["training.optimizer.lr"] > 1e-3
    confirmed = document["confirmed"]
    assert confirmed["low"] > 0
    assert confirmed["n"] + done.state.opened["examples"] == 400
    assert document["says"].startswith("The winner is better than the pipeline as it is")
    assert document["optimism"]["corrected"] >= document["optimism"]["apparent"]

    _runs_are_there(done, document)
    _optuna_has_the_same(done)
    # Called again it is told, not trained.
    assert searched(pipeline).as_json() == done.as_json()


def test_trials_that_share_jobs_are_those_that_have_their_own(pipeline: str) -> None:
    rounds = "search.rounds=[{trials: 9, sampler: sobol}, {trials: 4, sampler: random}]"
    alone, shared = (
        searched(pipeline, rounds, "search.rungs=null", f"search.together={count}")
        for count in (1, 4)
    )
    assert shared.state.opened["numeric"] == {**alone.state.opened["numeric"], "together": 4}
    # A call that is shared lists its results in a row, so the second round may lie elsewhere.
    pairs = list(zip(alone.state.of_round(0), shared.state.of_round(0), strict=True))
    assert len(pairs) == 9
    for one, other in pairs:
        assert other.parameters == one.parameters
        assert other.rungs[0].curve == pytest.approx(one.rungs[0].curve, abs=0.011)
    for trial in shared.state.finished:
        run = RunStore(Settings.read()).open(run_id_of(shared.study, "trial", trial.number))
        assert run.metrics["dev/error"] == pytest.approx(trial.value)


def _runs_are_there(done: Searched, document: dict[str, Any]) -> None:
    store = RunStore(Settings.read())
    rows = store.rows("tiny")
    rows = rows[rows["name"].str.startswith(done.study)]
    kinds = rows["kind"].value_counts().to_dict()
    assert kinds == {"trial": 10, "confirm": 4, "round": 2, "search": 1}
    run = store.open(document["best"]["run_id"])
    assert run.status == "FINISHED"
    assert run.tags["gapwise.state"] == "done"
    assert run.metrics["dev/error"] == pytest.approx(document["best"]["error"])
    assert diagnose_runs((run.run_id,), settings=Settings.read()).ladder
    stopped = rows[(rows["kind"] == "trial") & (rows["status"] == "KILLED")]
    ends = [trial.state for trial in done.state.trials]
    assert len(stopped) == ends.count("stopped") > 0
    # MLflow nests trials in their round, and rounds in the search.
    client = connect(Settings.read())
    store.drain(run.run_id)
    mine = client.get_run(store.open(run.run_id).mlflow_id)
    parent = client.get_run(mine.data.tags["mlflow.parentRunId"])
    assert parent.info.run_name.startswith(f"{done.study}-round-")
    assert client.get_run(parent.data.tags["mlflow.parentRunId"]).info.run_name == done.study


def _optuna_has_the_same(done: Searched) -> None:
    url = Settings.read().optuna_url
    for number, count in ((1, 6), (2, 4)):
        study = optuna.load_study(study_name=f"{done.study} round {number}", storage=url)
        assert len(study.trials) == count
    values = [t.value for t in done.state.of_round(0) if t.state == "done"]
    first = optuna.load_study(study_name=f"{done.study} round 1", storage=url)
    assert [t.value for t in first.trials if t.value is not None] == values


def test_the_examples_that_confirm_have_chosen_nothing(done: Searched) -> None:
    store = RunStore(Settings.read())
    assert done.state.confirmed is not None
    trial = store.open(done.as_json()["best"]["run_id"])
    winner = store.open(done.state.confirmed["winner_runs"][0])
    chose = set(tables.read(trial.needed_predictions("dev")).example_id)
    confirm = set(tables.read(winner.needed_predictions("dev")).example_id)
    assert not chose & confirm
    assert len(chose | confirm) == 400


def test_s8_another_space_is_another_study_and_the_old_one_stays(
    pipeline: str, done: Searched, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(PIPELINE.replace("high: 1e-1", "high: 3e-2"))
    other = searched(str(path))
    assert other.study != done.study
    known = {one.study for one in EventLog(Settings.read().studies_url).studies()}
    assert {other.study, done.study} <= known


def test_again_tests_the_best_settings_anew_on_changed_code_or_data(
    pipeline: str, done: Searched
) -> None:
    latest = latest_study(EventLog(Settings.read().studies_url), "tiny")
    assert latest is not None
    again = searched(pipeline, "seed=3", again=True)
    assert again.study != done.study
    trials = again.state.trials
    assert 2 <= len(trials) <= 6
    assert {trial.state for trial in trials} == {"done"}
    best = latest[1].best
    assert best is not None
    assert best.parameters in [dict(trial.parameters) for trial in trials]
    # Asked again it is told, not tested once more; and the recorder wrote this study, no other.
    assert searched(pipeline, "seed=3", again=True).study == again.study
    run_id = again.as_json()["best"]["run_id"]
    assert RunStore(Settings.read()).open(run_id).status == "FINISHED"


def test_x1_a_trial_whose_run_could_not_be_written_is_written_later(
    pipeline: str, done: Searched, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.read()
    study, _ = open_study(pipeline, (), settings)
    best = done.as_json()["best"]
    run = settings.runs / best["run_id"]
    trials = trial_folder(study.folder, best["trial"])
    assert run.is_dir()
    # As if it had ended just now, its run not begun, its checkpoints still there.
    trials.mkdir(parents=True)
    for path in (run / "checkpoints").iterdir():
        shutil.copy(path, trials / path.name)
    last = done.state.trials[best["trial"]].rungs[-1].facts
    source = trials / last["best_checkpoint"]
    if not (trials / last["last_checkpoint"]).exists():
        shutil.copy(source, trials / last["last_checkpoint"])
    shutil.move(run, settings.home / "aside")

    def full(*_: Any, **__: Any) -> None:
        raise StorageError("no space left on the disk")

    with monkeypatch.context() as patch:
        patch.setattr(seed_run, "conclude", full)
        with pytest.raises(StorageError):
            Recorder(study).catch_up()
    assert source.is_file()  # nothing is thrown away before its run is whole
    Recorder(study).catch_up()
    written = RunStore(settings).open(best["run_id"])
    assert written.status == "FINISHED"
    assert written.metrics["dev/error"] == pytest.approx(best["error"])
    assert not source.exists()


def test_again_without_a_search_says_so(pipeline: str, tmp_path: Path) -> None:
    path = tmp_path / "fresh.yaml"
    path.write_text(PIPELINE)
    with pytest.raises(UsageError, match="no search of fresh whose best settings"):
        searched(str(path), again=True)


def test_a_limit_that_the_best_breaks_goes_to_the_next(pipeline: str) -> None:
    # 64 hidden units have 4,810 weights, 16 have 1,210
    found = searched(pipeline, 'search.limits=["parameters<=2000"]')
    best = found.as_json()["best"]
    assert best["parameters"]["network.hidden"] == [16]
    none = searched(pipeline, 'search.limits=["parameters<=10"]')
    assert none.as_json()["best"] is None
    assert "No setting that was trained to the end keeps parameters<=10" in none.as_json()["says"]


def test_a_winner_that_fails_under_another_seed_gives_way_to_the_next(
    pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = ("search.rungs=null", "search.rounds=[{trials: 5, sampler: sobol}]")
    calm = searched(pipeline, *short)
    first = calm.as_json()["best"]["parameters"]

    def diverges(job: Job, context: Context) -> JobResult:
        if job.seed == 1 and job.pipeline["training"]["optimizer"]["lr"] == rate:
            raise TrainingError("the loss is nan at step 3; lower training.optimizer.lr")
        return run_trial(job, context)

    monkeypatch.setattr(far_jobs, "run_trial", diverges)
    rate = first["training.optimizer.lr"]
    found = searched(pipeline, *short, "search.confirm.seeds=3").as_json()
    failed = calm.as_json()["best"]["trial"]
    assert list(found["unfit"]) == [str(failed)]
    assert "under seed 1: the loss is nan" in found["unfit"][str(failed)]
    assert found["best"]["trial"] != failed
    assert found["confirmed"]["seeds"] == 3
    winner = RunStore(Settings.read()).open(found["confirmed"]["winner_runs"][0])
    assert winner.tags["gapwise.confirms"] == "winner"


def test_a_pipeline_that_cannot_be_trained_anew_is_nothing_to_be_held_against(
    pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverges(job: Job, context: Context) -> JobResult:
        if job.seed == 1 and job.pipeline["training"]["optimizer"]["lr"] == 1e-4:
            raise TrainingError("the loss is nan at step 3; lower training.optimizer.lr")
        return run_trial(job, context)

    monkeypatch.setattr(far_jobs, "run_trial", diverges)
    found = searched(pipeline, "search.seed=6").as_json()
    assert found["best"]["trial"] != 0
    assert found["confirmed"] is None
    assert found["says"].startswith("The pipeline as it is cannot be trained, so the winner has")


def test_stopped_it_goes_on_and_a_second_driver_is_refused(
    pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stops:
        """As a signal would, after some events."""

        def __init__(self, study: Any) -> None:
            self.count = 0

        def hear(self, state: Any, event: Any) -> None:
            self.count += isinstance(event, Event)
            if self.count == 9:
                os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(searching, "SearchProgress", Stops)
        with pytest.raises(StoppedError) as caught:
            searched(pipeline, "search.seed=1")
    assert caught.value.exit_code == 130
    settings = Settings.read()
    study = EventLog(settings.studies_url).studies()[0].study
    lock = RunLock(settings.searches / study / "lock")
    lock.acquire()
    try:
        with pytest.raises(BusyError, match="is in use by process"):
            searched(pipeline, "search.seed=1")
    finally:
        lock.release()
    found = searched(pipeline, "search.seed=1")
    assert found.study == study
    assert len(found.state.trials) == 10


def test_t8_a_half_done_search_of_other_code_is_refused(
    pipeline: str, monkeypatch: pytest.MonkeyPatch, done: Searched
) -> None:
    settings = Settings.read()
    log = EventLog(settings.studies_url)
    events = [event for event in log.read(done.study) if event.kind not in ("confirmed", "closed")]
    opened = Event(kind="opened", facts={**events[0].facts, "code": "of another day"})
    other = EventLog(f"sqlite:///{settings.home / 'other.db'}")
    other.append(done.study, 0, [opened, *events[1:-1]])
    monkeypatch.setenv("GAPWISE_STUDIES_URL", f"sqlite:///{settings.home / 'other.db'}")
    assert replay(other.read(done.study)).trials
    with pytest.raises(UsageError, match="begun by other code of Gapwise"):
        searched(pipeline)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("training.optimizer.lr:", "training.optimizer.rl:", "has no such option; did you mean lr"),
        ("training.optimizer.lr:", "splits.dev:", "'?splits.dev'? cannot be searched; knobs of"),
        ("training.optimizer.lr:", "training.epochs:", "training.epochs cannot be searched"),
        ("[constant, cosine]", "[constant, cosin]", "cosin is not known; did you mean cosine"),
        ("[[16], [64]]", "[[16], many]", 'is "many", but'),
        ("tier: 3}", "tier: 3, when: {network.norm: 1}}", "depends on network.norm, which is not"),
        ("tiers: [1, 3]", "tiers: [1, 5]", "5, but must be at most 3"),
        ("sampler: tpe, tiers: [1, 3]}", "sampler: bayes}", "must be 'sobol', 'random'"),
    ],
)
def test_a_wrong_space_is_told_before_anything_trains(
    home: Path, tmp_path: Path, before: str, after: str, says: str
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(PIPELINE.replace(before, after))
    with pytest.raises(PipelineError, match=says):
        searched(str(path))
    assert not RunStore(Settings.read()).experiments()


def test_a_dev_set_too_small_to_confirm_by_is_refused(pipeline: str) -> None:
    with pytest.raises(DataError, match="too few to choose by some and confirm by others"):
        searched(pipeline, "splits.dev=15")


def test_a_pipeline_without_a_space_searches_what_matters_most(home: Path) -> None:
    space = search_of(read("adult")).space
    assert list(space) == [
        "training.optimizer.lr",
        "training.batch_size",
        "training.optimizer.beta1",
    ]
    assert space["training.optimizer.lr"].tier == 1
    assert (space["training.optimizer.lr"].low, space["training.optimizer.lr"].high) == (1e-4, 1e-2)
