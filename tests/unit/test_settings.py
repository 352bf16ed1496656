from pathlib import Path

import pytest

from gapwise.errors import StorageError
from gapwise.settings import Settings, app_root

VARIABLES = (
    "GAPWISE_HOME", "GAPWISE_CACHE", "GAPWISE_DATA", "GAPWISE_LEDGER_URL", "MLFLOW_TRACKING_URI",
    "XDG_CACHE_HOME",
)  # fmt: skip


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_home_is_sought_upward_as_git_does(tmp_path: Path) -> None:
    (tmp_path / ".gapwise").mkdir()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert Settings.read(inner).home == tmp_path / ".gapwise"
    (tmp_path / "a" / ".gapwise").mkdir()
    assert Settings.read(inner).home == tmp_path / "a" / ".gapwise"


def test_home_begins_where_there_is_none(tmp_path: Path) -> None:
    home = Settings.read(tmp_path).home
    assert home == tmp_path / ".gapwise"
    assert not home.exists(), "reading settings writes nothing"


def test_the_environment_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPWISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GAPWISE_DATA", str(tmp_path))
    monkeypatch.setenv("GAPWISE_LEDGER_URL", "postgresql://ledger")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking")
    settings = Settings.read()
    assert settings.home == tmp_path / "home"
    assert settings.cache == tmp_path / "cache"
    assert settings.data == tmp_path
    assert settings.ledger_url == "postgresql://ledger"
    assert settings.tracking_uri == "http://tracking"
    assert settings.runs == tmp_path / "home" / "runs"
    assert settings.artifacts == tmp_path / "home" / "artifacts"


def test_stores_are_embedded_by_default(tmp_path: Path) -> None:
    settings = Settings.read(tmp_path)
    assert settings.tracking_uri == f"sqlite:///{tmp_path / '.gapwise' / 'mlflow.db'}"
    assert settings.ledger_url == f"sqlite:///{tmp_path / '.gapwise' / 'ledger.db'}"
    assert settings.data is None


def test_the_cache_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Settings.read(tmp_path).cache == tmp_path / "gapwise"


def test_an_empty_variable_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert Settings.read(tmp_path).home == tmp_path / ".gapwise"


def test_relative_folders_are_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAPWISE_HOME", "here")
    assert Settings.read().home == tmp_path / "here"


def test_a_data_folder_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(StorageError, match=r"GAPWISE_DATA is .*nowhere.* is no folder; set it"):
        Settings.read(tmp_path)


def test_app_root_holds_pipelines_and_dashboards() -> None:
    assert (app_root() / "pipelines" / "digits.yaml").is_file()
    assert (app_root() / "dashboards" / "__init__.py").is_file()
