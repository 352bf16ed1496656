"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded, as the command does


@pytest.fixture
def data_folder() -> Path:
    """The folder of real datasets; skipped where there is none, but never under CI."""
    folder = os.environ.get("GAPWISE_DATA")
    if folder:
        return Path(folder)
    reason = "GAPWISE_DATA is not set; set it to a folder of datasets (see docs/data.md)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ``GAPWISE_HOME`` of its own, with a cache beside it."""
    for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GAPWISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "home"
