"""Where Gapwise keeps its state, read from the environment in one place (DESIGN: State)."""

import os
from dataclasses import dataclass
from pathlib import Path

from gapwise.errors import StorageError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Folders and addresses of the stores; made by ``Settings.read()``.

    Attributes:
        studies: where searches write their events; by default a file in the home.
        workers: where jobs run: a count of local processes, or the address of a Ray cluster.
        mirror: whether runs are written to MLflow while they go; ``GAPWISE_MIRROR=off`` leaves that
            to a later drain.
    """

    home: Path
    cache: Path
    tracking_uri: str
    ledger_url: str
    data: Path | None = None
    mirror: bool = True
    studies: str | None = None
    workers: str = ""
    shared: str = ""

    @classmethod
    def read(cls, start: Path | None = None) -> "Settings":
        """Read the environment; ``start`` is where the search for ``.gapwise/`` begins.

        Raises:
            StorageError: ``GAPWISE_DATA`` names a folder that does not exist.
        """
        home = _home(start or Path.cwd())
        data = os.environ.get("GAPWISE_DATA")
        if data and not Path(data).is_dir():
            raise StorageError(
                f"GAPWISE_DATA is {data!r}, which is no folder; set it to a folder of datasets"
            )
        cache = os.environ.get("GAPWISE_CACHE")
        return cls(
            home=home,
            cache=Path(cache).absolute() if cache else _user_cache(),
            tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow.db'}",
            ledger_url=os.environ.get("GAPWISE_LEDGER_URL") or f"sqlite:///{home / 'ledger.db'}",
            data=Path(data).absolute() if data else None,
            mirror=os.environ.get("GAPWISE_MIRROR", "on") != "off",
            studies=os.environ.get("GAPWISE_STUDIES_URL") or None,
            workers=os.environ.get("GAPWISE_WORKERS", ""),
            shared=os.environ.get("GAPWISE_SHARED", "").rstrip("/"),
        )

    @property
    def runs(self) -> Path:
        """The folder of the runs' own files: one folder a run."""
        return self.home / "runs"

    @property
    def studies_url(self) -> str:
        """Where the events of searches stand."""
        return self.studies or f"sqlite:///{self.home / 'searches.db'}"

    @property
    def optuna_url(self) -> str:
        """Where Optuna's own copy of the studies stands, for its dashboard."""
        return self.studies or f"sqlite:///{self.home / 'optuna.db'}"

    @property
    def searches(self) -> Path:
        """The folder of the searches' checkpoints: one folder a study."""
        return self.home / "searches"

    @property
    def artifacts(self) -> Path:
        """The folder of the embedded store's MLflow artifacts."""
        return self.home / "artifacts"


def app_root() -> Path:
    """Return the folder that holds ``dashboards/`` and ``pipelines/``.

    In a wheel that is ``gapwise/_app``; in a checkout it is the repository.
    """
    packed = Path(__file__).parent / "_app"
    return packed if packed.is_dir() else Path(__file__).parents[2]


def _home(start: Path) -> Path:
    named = os.environ.get("GAPWISE_HOME")
    if named:
        return Path(named).absolute()
    for folder in (start, *start.parents):
        if (folder / ".gapwise").is_dir():
            return folder / ".gapwise"
    return start / ".gapwise"


def _user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").absolute() / "gapwise"
