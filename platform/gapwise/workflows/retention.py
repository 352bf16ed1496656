"""Old runs go by rule: shown first, archived and proved before anything is deleted.

What never goes, whatever the rule: the best runs of an experiment and its latest, what is pinned,
what a model of the registry or a kept ensemble is made of, what the ledger speaks of (decisions,
promotions, preferences, campaigns), what still runs, and whatever MLflow does not have whole.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from gapwise.errors import ServiceError, UsageError, did_you_mean, shown
from gapwise.ledger import campaigns, decisions, pins, preferences, promotions
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.client import answering, connect, quiet_environment, sqlite_file
from gapwise.tracking.copies import copy_run
from gapwise.tracking.folder import RunFolder
from gapwise.tracking.registry import Registry
from gapwise.tracking.store import PARTS, RunStore
from gapwise.tracking.upkeep import Upkeep
from gapwise.workflows.author import author

DAY: Final = 86_400.0
FOR_GOOD: Final = "delete-for-good"
"""The word that deletes without an archive."""

LONGEST: Final = 36_500
"""Days that a rule may ask for."""

RETIRED_TAG: Final = "gapwise.retired"
"""Where a run that was deleted lies now."""

_SPEAK: Final = (decisions.KIND, promotions.KIND, preferences.KIND, campaigns.KIND)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which runs go: ended so many days ago, beyond the best and the latest of each experiment."""

    days: float = 30.0
    best: int = 3
    latest: int = 10


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A run under the rule: ``kept`` says why it stays, "" that it goes."""

    run_id: str
    name: str
    experiment: str
    days: float
    size: int
    kept: str

    def as_json(self) -> dict[str, Any]:
        """Return plain values; the size is in bytes."""
        return asdict(self)


def plan(
    rule: Rule, experiment: str | None = None, settings: Settings | None = None
) -> list[Judged]:
    """Return what would go and what stays and why, the oldest first; nothing is changed.

    Raises:
        UsageError: there is no such experiment, or the days are none.
        StorageError, ServiceError: a store cannot be read.
    """
    if not 0 <= rule.days <= LONGEST:
        raise UsageError(f"--days {rule.days:g}: write a number of days from 0 to {LONGEST:,}")
    settings = settings or Settings.read()
    store = RunStore(settings)
    rows = store.rows(experiment)
    if rows.empty and experiment is not None:
        known = store.experiments()
        raise UsageError(f"experiment {shown(experiment)!r}: {did_you_mean(experiment, known)}")
    rows = rows[~rows["kind"].isin(PARTS)]
    reasons = _kept(rows, rule, store, settings)
    now = pd.Timestamp.now(tz="UTC")
    found = [
        Judged(
            run_id=row["run_id"],
            name=row["name"],
            experiment=row["experiment"],
            days=0.0 if pd.isna(row["ended"]) else (now - row["ended"]).total_seconds() / DAY,
            size=_size(settings.runs / row["run_id"]),
            kept=reasons.get(row["run_id"], ""),
        )
        for row in rows.to_dict("records")
    ]
    return sorted(found, key=lambda one: -one.days)


def retire(
    judged: list[Judged], archive: Path | None, word: str = "", settings: Settings | None = None
) -> list[str]:
    """Archive, prove and delete the runs that go; return their ids.

    Args:
        judged: what ``plan`` gave.
        archive: a folder that opens as a home; runs are copied there first.
        word: ``FOR_GOOD`` deletes the only copy.
        settings: where the runs are.

    Raises:
        UsageError: no archive is named, nor the word.
        StorageError: a copy does not hold; that run and those after it stay.
    """
    settings = settings or Settings.read()
    if archive is None and word != FOR_GOOD:
        raise UsageError(
            f"name --archive FOLDER, which keeps them, or write --word {FOR_GOOD}: these runs are "
            "the only copy"
        )
    gone, marked = [], []
    store, client = RunStore(settings), connect(settings)
    for one in judged:
        if one.kept:
            continue
        mlflow_id = store.open(one.run_id).mlflow_id
        with Upkeep(settings).removing(one.run_id):
            if archive is not None:
                folder = RunFolder(settings.runs / one.run_id)
                copy_run(folder, RunFolder(archive.absolute() / "runs" / one.run_id))
            with answering(settings.tracking_uri):
                client.set_tag(mlflow_id, RETIRED_TAG, str(archive or word))
                client.delete_run(mlflow_id)
        gone.append(one.run_id)
        marked.append(mlflow_id)
    if marked and sqlite_file(settings) is not None:
        _collect(marked, settings)
    return gone


def retired(judged: list[Judged], archive: Path | None, word: str, *, does: bool) -> dict[str, Any]:
    """Return the document of ``retire``: what goes or would go, and what stays and why.

    Raises: see ``retire``.
    """
    gone = retire(judged, archive, word) if does else []
    return {
        "applied": does,
        "gone": gone,
        "bytes": sum(one.size for one in judged if not one.kept),
        "runs": [one.as_json() for one in judged],
    }


def pin(run: str, *, on: bool = True, settings: Settings | None = None) -> dict[str, Any]:
    """Pin a run, or let it go again.

    Raises:
        UsageError: no run, or more than one, is meant.
    """
    settings = settings or Settings.read()
    found = RunStore(settings).open(run)
    pins.pin(
        Ledger(settings.ledger_url), found.run_id, dataset=found.dataset, author=author(), on=on
    )
    return {"run_id": found.run_id, "name": found.name, "pinned": on}


def _kept(rows: pd.DataFrame, rule: Rule, store: RunStore, settings: Settings) -> Mapping[str, str]:
    """Return run → why it stays; the first reason that holds."""
    ledger = Ledger(settings.ledger_url)
    spoken = " ".join(json.dumps(dict(e.value)) for e in ledger.events(kind=_SPEAK))
    pinned, waiting = pins.pinned(ledger), set(store.undrained())
    named = Registry(connect(settings), settings.tracking_uri).run_ids()
    best, latest = _best(rows, rule.best), _latest(rows, rule.latest)
    old = pd.Timestamp.now(tz="UTC") - pd.Timedelta(days=rule.days)
    reasons: dict[str, str] = {}
    for row in rows.to_dict("records"):
        run = row["run_id"]
        why = {
            "it runs": row["status"] == "RUNNING" or pd.isna(row["ended"]),
            "it ended lately": not pd.isna(row["ended"]) and row["ended"] > old,
            "it is pinned": run in pinned,
            f"it is among the best {rule.best}": run in best,
            f"it is among the latest {rule.latest}": run in latest,
            "a model of the registry is made of it": run in named,
            "the ledger speaks of it": run in spoken,
            "MLflow does not have it whole": run in waiting,
            "its folder is not on this machine": not (settings.runs / run).is_dir(),
        }
        reasons[run] = next((text for text, holds in why.items() if holds), "")
    return _with_members(reasons, store)


def _with_members(reasons: dict[str, str], store: RunStore) -> dict[str, str]:
    """Keep what a kept ensemble, or a system of two steps, is made of."""
    for run in [run for run, why in reasons.items() if why]:
        for member in store.open(run).members:
            reasons[member] = reasons.get(member) or f"{run[:10]} is made of it"
    return reasons


def _best(rows: pd.DataFrame, count: int) -> set[str]:
    found: set[str] = set()
    for name in ("metric.best_dev_error", "metric.dev_error"):
        if name in rows:
            ranked = rows.dropna(subset=[name]).sort_values(name)
            found |= set(ranked.groupby("experiment").head(count)["run_id"])
    return found


def _latest(rows: pd.DataFrame, count: int) -> set[str]:
    ranked = rows.sort_values("started", ascending=False)
    return set(ranked.groupby("experiment").head(count)["run_id"])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _collect(mlflow_ids: list[str], settings: Settings) -> None:
    """Let MLflow's own garbage collection remove what was marked, with its artifacts."""
    command = [sys.executable, "-m", "mlflow", "gc", "--run-ids", ",".join(mlflow_ids)]
    command += ["--backend-store-uri", settings.tracking_uri]
    environment = os.environ | quiet_environment() | {"MLFLOW_TRACKING_URI": settings.tracking_uri}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "?").splitlines()[-1]
        raise ServiceError(
            f"MLflow's garbage collection failed ({shown(last, 200)}); the runs are deleted there "
            "and stay in its trash; call mlflow gc once more"
        )
