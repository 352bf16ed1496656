"""Pages under test: each alone, over real runs in an own GAPWISE_HOME."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gapwise.settings import Settings

PAGES = Path(__file__).parents[2] / "dashboards" / "pages"
TIMEOUT = 120


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def _own_main() -> Iterator[None]:
    """Streamlit leaves the page that ran last as ``__main__``, which each new process imports."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """The maker of runs."""
    return neighbour("made_runs")


@pytest.fixture(scope="session")
def asgi() -> ModuleType:
    """The small ASGI client."""
    return neighbour("asgi")


def neighbour(name: str) -> ModuleType:
    """Load a file beside this one; tests are no package, so it cannot be imported."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def _stored(made: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group of three seeds, a worse run and a killed one; made once, copied for each test."""
    root = tmp_path_factory.mktemp("stored")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_HOME", str(root / "home"))
        patch.setenv("GAPWISE_CACHE", str(root / "cache"))
        settings = Settings.read()
        made.make_group(settings, 3)
        pipeline, prepared = made.prepare(settings, ["training.epochs=5"])
        worse = {"train": 0.02, "train_dev": 0.06, "dev": 0.35, "test": 0.35}
        made.make_run(settings, pipeline, prepared, name="short", errors=worse)
        made.make_run(settings, pipeline, prepared, name="stopped", finish=False)
    return root


@pytest.fixture
def stored(_stored: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``GAPWISE_HOME`` with the runs of ``_stored``, the test's own to change."""
    shutil.copytree(_stored / "home", home)
    monkeypatch.setenv("GAPWISE_CACHE", str(_stored / "cache"))
    return home


@pytest.fixture
def page() -> Callable[..., AppTest]:
    """Run one page alone: name without section and place, values of the URL."""

    def run(name: str, **query: str) -> AppTest:
        (file,) = PAGES.glob(f"*_{name}.py")
        test = AppTest.from_file(str(file), default_timeout=TIMEOUT)
        for key, value in query.items():
            test.query_params[key] = value
        return test.run()

    return run
