"""*Learning curve*: over a curve that was really trained, over one that says nothing, and none."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import data
from gapwise.diagnostics.learning_curve import Measured, learning_curve
from gapwise.settings import Settings
from gapwise.workflows.curve import Wanted, curve
from gapwise.workflows.curve_store import Curves, keep

Page = Callable[..., AppTest]
QUICK = ["network=multilayer-perceptron", "training.epochs=3"]
QUICK += ["training.device=cpu", "training.threads=1"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Curves]:
    folder = tmp_path_factory.mktemp("curve")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_HOME", str(folder / "home"))
        patch.setenv("GAPWISE_CACHE", str(folder / "cache"))
        wanted = Wanted(sizes=(56, 224, 897), seeds=1)
        return folder, curve("digits", QUICK, wanted, settings=Settings.read())


@pytest.fixture
def made_curve(trained: tuple[Path, Curves], monkeypatch: pytest.MonkeyPatch) -> Curves:
    monkeypatch.setenv("GAPWISE_HOME", str(trained[0] / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(trained[0] / "cache"))
    return trained[1]


def said(test: AppTest) -> str:
    parts = [*test.markdown, *test.caption, *test.error]
    return "\n".join(str(part.value) for part in parts).replace("\u2060", "").replace("\\", "")


def test_without_a_curve_the_page_names_the_command(page: Page, home: Path) -> None:
    test = page("learning_curve")
    assert not test.exception
    assert "No learning curve yet" in said(test)
    assert "gapwise curve digits" in [str(code.value) for code in test.code]


def test_a_curve_of_three_sizes_says_why_nothing_is_forecast(
    page: Page, made_curve: Curves
) -> None:
    keep(Settings.read(), made_curve)
    test = page("learning_curve", pipeline="digits")
    assert not test.exception
    assert [str(error.value) for error in test.error] == []
    assert "# No forecast" in said(test)
    assert "3 sizes were trained on" in said(test)
    assert "not forecast" in said(test)


def test_a_forecast_is_told_with_its_interval(page: Page, made_curve: Curves) -> None:
    """Six sizes of a curve that falls, under two names that pages must show as text."""
    sizes = (50, 100, 200, 400, 800, 1600)
    errors = tuple(tuple(0.02 + 2 * n**-0.6 + s for s in (-0.002, 0, 0.002)) for n in sizes)
    fitted = learning_curve(
        Measured(sizes=sizes, dev=errors, train=((0.0,) * 3,) * 6, n_dev=2000.0)
    )
    first = replace(made_curve.variants[0], curve=fitted)
    second = replace(first, name="network.hidden=<b>[4]</b>")
    keep(Settings.read(), replace(made_curve, variants=(first, second), seeds=(0, 1, 2)))
    test = page("learning_curve", pipeline="digits")
    assert not test.exception
    assert "# More data would help" in said(test)
    assert "off the dev error (" in said(test)
    assert "<b>" not in str(test.table[0].value).replace("\\<", "")


def test_curves_stand_last_among_experiments_and_apart_from_runs(
    page: Page, stored: Path, made_curve: Curves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_HOME", str(stored))
    settings = Settings.read()
    curve("digits", QUICK, Wanted(sizes=(56,), seeds=1), settings=settings)
    assert data.experiments() == ["digits", "digits-curve"]
    runs = page("runs")
    assert "digits-n56" not in " ".join(runs.dataframe[0].value["Run"])
    chosen = page("runs", experiment="digits-curve")
    assert "digits-n56" in " ".join(chosen.dataframe[0].value["Run"])
