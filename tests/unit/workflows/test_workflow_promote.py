"""Aliases move only to runs that are surely good enough, or for a reason; the ledger tells which.

Three real trainings on scikit-learn's digits: a good run, its like with another seed, a bad one.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open

from gapwise.errors import CheckError, ServiceError, UsageError
from gapwise.ledger import promotions
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.registry import Registry
from gapwise.tracking.store import RunStore
from gapwise.workflows.promote import PromoteRequest, promote
from gapwise.workflows.record import RecordRequest, record_file
from gapwise.workflows.train import train

QUICK = ("network=multilayer-perceptron", "training.device=cpu", "training.threads=1")
Trained = tuple[Settings, dict[str, str]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Settings without a mirror, so that nothing is in MLflow yet, and run ids by name."""
    folder = tmp_path_factory.mktemp("promote")
    settings = Settings(
        home=folder / "home",
        cache=folder / "cache",
        tracking_uri=f"sqlite:///{folder / 'home' / 'mlflow.db'}",
        ledger_url=f"sqlite:///{folder / 'home' / 'ledger.db'}",
        mirror=False,
    )
    made = {
        "good": ("training.epochs=6", "seed=0"),
        "alike": ("training.epochs=6", "seed=1"),
        "bad": ("training.epochs=1", "training.optimizer.lr=1e-5"),
    }
    fixed = "splits.seed=0"
    runs = {
        name: train("digits", [*QUICK, fixed, *overrides], settings=settings).run_ids[0]
        for name, overrides in made.items()
    }
    return settings, runs


@pytest.fixture
def model(request: pytest.FixtureRequest) -> str:
    """A model of the test's own: the store is shared."""
    return f"model of {request.node.name[:40]}".replace("[", " ").replace("]", "")


def ask(run: str, model: str, **more: object) -> PromoteRequest:
    return PromoteRequest(run=run, alias="champion", model=model, **more)  # type: ignore[arg-type]


def test_the_first_needs_no_reason_and_names_the_weights(trained: Trained, model: str) -> None:
    settings, runs = trained
    found = promote(ask(runs["bad"], model), settings)
    assert (found.changed, found.replaced, found.version) == (True, None, "1")
    client = connect(settings)
    version = client.get_model_version_by_alias(model, "champion")
    assert version.tags["gapwise.run"] == runs["bad"]
    assert version.status == "READY"
    path = Path(version.source.removeprefix("file://"))
    with safe_open(path, "np") as weights:
        assert len(list(weights.keys())) > 0
    assert RunStore(settings).open(f"{model}@champion").run_id == runs["bad"]


def test_a_surely_better_run_replaces_and_a_worse_one_does_not(
    trained: Trained, model: str
) -> None:
    settings, runs = trained
    promote(ask(runs["bad"], model), settings)
    better = promote(ask(runs["good"], model), settings)
    assert (better.changed, better.replaced) == (True, runs["bad"])
    assert better.rules[0].outcome == "holds"
    with pytest.raises(CheckError, match=r"surely errs more than .* --reason TEXT"):
        promote(ask(runs["bad"], model), settings)
    with pytest.raises(CheckError, match="--reason"):
        promote(ask(runs["bad"], model, reason="  "), settings)
    registry = Registry(connect(settings), settings.tracking_uri)
    holder = registry.holder(model, "champion")
    assert holder is not None
    assert holder.run_id == runs["good"]
    back = promote(ask(runs["bad"], model, reason="the good one is too slow"), settings)
    assert (back.changed, back.version) == (True, "1")
    told = promotions.history(Ledger(settings.ledger_url), model, "champion")
    assert [event.value["run_id"] for event in told] == [runs["bad"], runs["good"], runs["bad"]]
    assert [event.value["replaced"] for event in told] == [None, runs["bad"], runs["good"]]
    assert told[2].reason == "the good one is too slow"
    assert told[2].value["rules"][0]["outcome"] == "fails"


def test_undecided_and_infeasible_need_a_reason(trained: Trained, model: str) -> None:
    settings, runs = trained
    with pytest.raises(CheckError, match="is beyond its limit"):
        promote(ask(runs["good"], model, limits=("error<=0.001",)), settings)
    promote(ask(runs["good"], model), settings)
    with pytest.raises(CheckError, match="cannot be told from"):
        promote(ask(runs["alike"], model), settings)
    found = promote(ask(runs["alike"], model, margin=0.2), settings)
    assert found.rules[0].outcome == "holds"


def test_promoting_again_changes_nothing_and_mends_the_ledger(trained: Trained, model: str) -> None:
    settings, runs = trained
    first = promote(ask(runs["good"], model), settings)
    again = promote(ask(runs["good"], model), settings)
    assert (again.changed, again.version, again.replaced) == (False, first.version, None)
    ledger = Ledger(settings.ledger_url)
    assert len(promotions.history(ledger, model, "champion")) == 1
    lost = replace(settings, ledger_url=f"sqlite:///{settings.home / f'{model}.db'}")
    assert not promote(ask(runs["good"], model), lost).changed
    assert len(promotions.history(Ledger(lost.ledger_url), model, "champion")) == 1


def test_a_holder_that_cannot_be_compared_needs_a_reason(trained: Trained, model: str) -> None:
    settings, runs = trained
    registry = Registry(connect(settings), settings.tracking_uri)
    client = connect(settings)
    client.create_registered_model(model)
    version = client.create_model_version(
        model, "file:///elsewhere", tags={"gapwise.run": "f" * 32}
    )
    client.set_registered_model_alias(model, "champion", version.version)
    assert registry.holder(model, "champion") is not None
    with pytest.raises(CheckError, match="is not there any more"):
        promote(ask(runs["good"], model), settings)
    assert promote(ask(runs["good"], model, reason="the first of ours"), settings).changed


def test_runs_without_weights_and_odd_names_are_refused(
    trained: Trained, model: str, tmp_path: Path
) -> None:
    settings, runs = trained
    frame = pd.DataFrame({"example_id": np.arange(9), "split": "dev", "target": 0, "predicted": 0})
    frame.to_csv(tmp_path / "t.csv", index=False)
    recorded = record_file(
        RecordRequest(file=tmp_path / "t.csv", classes=("a", "b"), experiment="e"), settings
    )
    with pytest.raises(UsageError, match="has no weights"):
        promote(ask(recorded, model), settings)
    assert Registry(connect(settings), "").holder(model, "champion") is None
    for alias in ("latest", "v2", "a b", ""):
        with pytest.raises(UsageError, match="is no alias"):
            promote(PromoteRequest(run=runs["good"], alias=alias), settings)
    for name in ("a/b", "a@b", "it's", " "):
        with pytest.raises(UsageError, match="is no name of a model"):
            promote(ask(runs["good"], name), settings)


def test_an_alias_names_a_run_everywhere(trained: Trained, model: str) -> None:
    settings, runs = trained
    store = RunStore(settings)
    promote(PromoteRequest(run=runs["good"], alias=f"only-{model[9:14]}", model=model), settings)
    assert store.open(f"@only-{model[9:14]}").run_id == runs["good"]
    promote(PromoteRequest(run=runs["bad"], alias="shared", model=model), settings)
    promote(PromoteRequest(run=runs["good"], alias="shared", model=f"{model} 2"), settings)
    with pytest.raises(UsageError, match=r"is an alias of 2 models; write"):
        store.open("@shared")
    assert store.open(f"{model} 2@shared").run_id == runs["good"]
    with pytest.raises(UsageError, match="did you mean"):
        store.open(f"{model}@shred")


def test_a_server_that_is_away_leaves_everything_as_it_was(trained: Trained, model: str) -> None:
    settings, runs = trained
    before = Ledger(settings.ledger_url).revision()
    away = replace(settings, tracking_uri="http://127.0.0.1:9")
    with pytest.raises(ServiceError) as caught:
        promote(ask(runs["good"], model), away)
    assert caught.value.exit_code == 6
    assert Ledger(settings.ledger_url).revision() == before


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """An MLflow server with a store of its own, on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}"]
    words += ["--artifacts-destination", str(tmp_path / "artifacts")]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        start_new_session=True,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{base}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.2)
        yield base
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


@pytest.mark.faults
def test_a_server_keeps_alias_and_weights_for_another_machine(
    trained: Trained, model: str, server: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings, runs = trained
    ours = replace(settings, tracking_uri=server)
    promote(ask(runs["bad"], model), ours)
    assert promote(ask(runs["good"], model), ours).replaced == runs["bad"]
    assert capfd.readouterr().out == ""
    elsewhere = replace(ours, home=tmp_path / "elsewhere", cache=tmp_path / "cache")
    found = RunStore(elsewhere).open(f"{model}@champion")
    assert (found.run_id, found.folder) == (runs["good"], None)
    assert "dev" in found.splits()
    version = connect(ours).get_model_version_by_alias(model, "champion")
    assert version.source.endswith(".safetensors")
