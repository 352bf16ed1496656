"""MLflow, imported late: its client alone, never the fluent API (FAULTS trap 9)."""

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from gapwise.errors import ServiceError, StorageError, shown
from gapwise.settings import Settings
from gapwise.tracking.files import naming

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN_TAG = "gapwise.run"

FILES_TAG = "gapwise.files"
"""Which of the files that are read from elsewhere a run has in MLflow, by commas."""

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # What goes to stdout is the answer of a command, one document under --json.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # The spool is what tries again: a client that retries for minutes would only hold it up.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


def quiet_environment() -> dict[str, str]:
    """Return what is set in the environment before MLflow is imported, unless the user did."""
    return {name: value for name, value in _QUIET.items() if name not in os.environ}


def connect(settings: Settings) -> "MlflowClient":
    """Return a client of the tracking store, which is made when it is embedded and new.

    Raises:
        ServiceError: the store does not answer.
    """
    os.environ.update(quiet_environment())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own debts to the libraries below it
        with answering(settings.tracking_uri), _one_at_a_time(settings):
            from mlflow import MlflowClient

            return MlflowClient(tracking_uri=settings.tracking_uri)


def sqlite_file(settings: Settings) -> Path | None:
    """Return the file of an embedded tracking store, None for any other kind."""
    uri = settings.tracking_uri
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def experiment_id(client: "MlflowClient", name: str, settings: Settings) -> str:
    """Return the id of the experiment called ``name``, which is made when there is none."""
    from mlflow.exceptions import MlflowException

    known = client.get_experiment_by_name(name)
    if known is not None:
        if known.lifecycle_stage == "deleted":
            raise StorageError(
                f"experiment {name!r} was deleted in MLflow; "
                f"`mlflow experiments restore -x {known.experiment_id}` brings it back"
            )
        return str(known.experiment_id)
    location = None
    if sqlite_file(settings) is not None:
        location = f"{settings.artifacts.absolute().as_uri()}/{quote(name, safe='')}"
    try:
        return str(client.create_experiment(name, artifact_location=location))
    except MlflowException:
        made_meanwhile = client.get_experiment_by_name(name)
        if made_meanwhile is None:
            raise
        return str(made_meanwhile.experiment_id)


@contextmanager
def answering(uri: str) -> Iterator[None]:
    """Turn whatever MLflow raises inside the block into a ``ServiceError``."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        raise ServiceError(
            f"the tracking store {public(uri)} does not answer: {shown(_first_line(error), 200)}; "
            "the run folder has everything, `gapwise doctor` sends it later"
        ) from error


@contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    # Two processes that make MLflow's tables in one new file at once trip over each other.
    file = sqlite_file(settings)
    if file is None:
        yield
        return
    with naming(file.parent, "make"):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def public(uri: str) -> str:
    """Return ``uri`` without user and password, as it may be shown and stored."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
