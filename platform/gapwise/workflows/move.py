"""Runs, searches and the ledger moved from one installation into another, as often as one likes.

What is there already is known by its id, key or place and left alone, so that a second move doubles
nothing; each run is proved by its digests, and the ledger's chain is verified where it arrives.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.ledger.ledger import Ledger
from gapwise.search.event_log import EventLog
from gapwise.settings import Settings
from gapwise.tracking.copies import copy_file, copy_run, copy_tree
from gapwise.tracking.fetched import fetch_run
from gapwise.tracking.files import naming
from gapwise.tracking.folder import RunFolder
from gapwise.tracking.store import RunStore

if TYPE_CHECKING:
    import pandas as pd

LEFT = ("mlflow.db", "ledger.db", "searches.db", "optuna.db", "sign-in.toml", "backup.json")
"""Files of a home that are not copied as they stand: databases, secrets, a backup's manifest."""

LEFT_FOLDERS = ("runs", "artifacts", "background", "turns")
"""Folders of a home that are moved run by run, made anew, or mean nothing elsewhere."""

ENDED = ("FINISHED", "FAILED", "KILLED")


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What a move brought, what was there already, and what could not come.

    Attributes:
        runs, known_runs: moved, and there already.
        events, known_events: the ledger's.
        searches: that have events; ``search_events`` were new.
        left: runs that are still being written elsewhere.
    """

    runs: int
    known_runs: int
    events: int
    known_events: int
    searches: int
    search_events: int
    left: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def embedded(home: Path) -> Settings:
    """Return the settings of a home without servers, whatever the environment says."""
    home = home.absolute()
    return replace(
        Settings.read(),
        home=home,
        tracking_uri=f"sqlite:///{home / 'mlflow.db'}",
        ledger_url=f"sqlite:///{home / 'ledger.db'}",
        studies=None,
    )


def bring(
    source: Path | None, target: Path | None, experiment: str | None = None
) -> dict[str, Any]:
    """Move between this installation and a home without servers; return what came.

    Args:
        source: a home to bring in here.
        target: or a home to bring out of here.
        experiment: only its runs.

    Raises:
        UsageError: not one of the two is named, or there is nothing at ``source``; see ``move``.
        StorageError, ServiceError: see ``move``.
    """
    if (source is None) == (target is None):
        raise UsageError("name one side: --from FOLDER/.gapwise, or --to FOLDER/.gapwise")
    here = Settings.read()
    if target is not None:
        return move(here, embedded(target), experiment).as_json()
    assert source is not None
    if not (source / "runs").is_dir() and not (source / "ledger.db").is_file():
        raise UsageError(f"{source} has no runs and no ledger; name a .gapwise folder")
    if source.absolute() == here.home.absolute() and here == embedded(source):
        raise UsageError(
            f"{source} is what is in use already; set the servers' addresses, or another "
            "GAPWISE_HOME"
        )
    return move(embedded(source), here, experiment).as_json()


def move(
    source: Settings,
    target: Settings,
    experiment: str | None = None,
    *,
    sends: bool = True,
    fetches: bool = True,
) -> Moved:
    """Bring runs, searches and the ledger of ``source`` into ``target``.

    Args:
        source: where they are.
        target: whereto.
        experiment: only its runs, and what the ledger says of their datasets.
        sends: whether MLflow gets the runs, too.
        fetches: whether those that MLflow alone has come as well.

    Raises:
        UsageError: there is no such experiment, or nothing at all; or a search went another way
            there.
        StorageError, ServiceError: a store cannot be read or written; what has arrived stays, and
            another move goes on.
    """
    store = RunStore(source)
    rows = store.rows(experiment)[::-1]  # oldest first: a part comes after what it is part of
    if not rows.shape[0] and experiment is not None:
        known = store.experiments()
        raise UsageError(f"experiment {shown(experiment)!r}: {did_you_mean(experiment, known)}")
    here = [run for run in rows["run_id"] if RunFolder(source.runs / run).exists()]
    copied = [run for run in here if _copied(run, source, target)]
    afar = rows[~rows["run_id"].isin(here) & fetches]
    ended = list(afar[afar["status"].isin(ENDED)]["run_id"])
    copied += _fetched(ended, rows, source, target)
    ids = list(rows["run_id"][rows["run_id"].isin([*here, *ended])])
    events = _events(Ledger(source.ledger_url), experiment, set(rows["dataset"]))
    taken = Ledger(target.ledger_url).take(events) if events else 0
    Ledger(target.ledger_url).verify()
    searches, search_events = _searches(source, target, experiment)
    if experiment is None:
        _others(source.home, target.home)
    if sends:
        arrived = RunStore(target)
        for run in ids:
            arrived.drain(run)
    return Moved(
        runs=len(copied),
        known_runs=len(ids) - len(copied),
        events=taken,
        known_events=len(events) - taken,
        searches=searches,
        search_events=search_events,
        left=len(afar) - len(ended),
    )


def _copied(run: str, source: Settings, target: Settings) -> bool:
    return copy_run(RunFolder(source.runs / run), RunFolder(target.runs / run))


def _fetched(
    ids: Iterable[str], rows: "pd.DataFrame", source: Settings, target: Settings
) -> list[str]:
    """Fetch the runs that MLflow alone has; return those that were not there."""
    own = dict(zip(rows["mlflow_id"], rows["run_id"], strict=True))
    store = RunStore(source)
    there = {run: RunFolder(target.runs / run) for run in ids}
    return [run for run, into in there.items() if fetch_run(store.open(run), source, into, own)]


def _events(ledger: Ledger, experiment: str | None, datasets: Iterable[str]) -> list[Any]:
    wanted = set(datasets)
    return [one for one in ledger.events() if experiment is None or one.dataset in wanted]


def _searches(source: Settings, target: Settings, experiment: str | None) -> tuple[int, int]:
    here, there = EventLog(source.studies_url), EventLog(target.studies_url)
    studies = [
        one.study
        for one in here.studies()
        if experiment is None or one.study.rpartition("-")[0] == experiment
    ]
    return len(studies), sum(there.take(study, here.read(study)) for study in studies)


def _others(source: Path, target: Path) -> None:
    """Copy the rest of a home: checkpoints of searches, curves, galleries, costs."""
    for path in sorted(source.iterdir()) if source.is_dir() else []:
        into = target / path.name
        if path.name.startswith(".") or into.exists() or path.is_symlink():
            continue
        with naming(into, "write"):
            target.mkdir(parents=True, exist_ok=True)
            if path.is_dir() and path.name not in LEFT_FOLDERS:
                copy_tree(path, into)
            elif path.is_file() and not path.name.startswith(LEFT):
                copy_file(path, into)
