"""An embedded MLflow store, made once and copied: making its tables takes seconds."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gapwise.settings import Settings
from gapwise.tracking.client import connect


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of an embedded MLflow store without runs."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    connect(replace(Settings.read(), tracking_uri=f"sqlite:///{file}"))
    return file


@pytest.fixture
def settings(home: Path, empty_mlflow: Path) -> Settings:
    """An empty home with a tracking store; runs reach it when they are drained."""
    home.mkdir()
    shutil.copy(empty_mlflow, home / "mlflow.db")
    return replace(Settings.read(), mirror=False)
