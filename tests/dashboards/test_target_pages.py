"""Pages over runs whose targets are numbers or several labels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gapwise.settings import Settings
from gapwise.workflows.train import train

Page = Callable[..., AppTest]
PAGES = ("what_next", "runs", "run", "compare", "splits", "errors", "labels", "human_level")
HEAD = """
splits: {dev: 0.25, test: 0.2, train_dev: 0.1}
network: {name: multilayer-perceptron, hidden: [8]}
training: {epochs: 3, batch_size: 64, device: cpu, threads: 1}
"""


def said(test: AppTest) -> str:
    parts = [*test.markdown, *test.caption, *test.error, *test.info, *test.warning]
    text = "\n".join(str(part.value) for part in parts)
    return text.replace("\u2060", "").replace("\\", "")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home with two runs on numbers and two on several labels; name → id."""
    folder = tmp_path_factory.mktemp("targets")
    random = np.random.default_rng(0)
    rows = ["id,size,kind,price,wet,cold"]
    for i in range(400):
        size = random.uniform(1, 9)
        wet, cold = ("yes" if size > 5 else "no"), ["no", "some", "?"][i % 3]
        rows.append(f"e{i},{size:.3f},{'ab'[i % 2]},{900 * size:.2f},{wet},{cold}")
    (folder / "t.csv").write_text("\n".join(rows))
    (folder / "homes.yaml").write_text(
        f"data: {{dataset: {{name: manifest, path: {folder / 't.csv'}, columns: {{label: price}}, "
        "target: number, unit: dollars, features: [size, kind]}, duplicates: drop}\ntask: regress"
        + HEAD
    )
    (folder / "skies.yaml").write_text(
        f"data: {{dataset: {{name: manifest, path: {folder / 't.csv'}, features: [size, kind], "
        "columns: {label: [wet, cold]}}, duplicates: drop}\ntask: multi-task" + HEAD
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_HOME", str(folder / "home"))
        patch.setenv("GAPWISE_CACHE", str(folder / "cache"))
        found = {}
        for name in ("homes", "skies"):
            for kind, overrides in (("", []), ("-short", ["training.epochs=1"])):
                done = train(str(folder / f"{name}.yaml"), overrides, settings=Settings.read())
                found[name + kind] = done.run_ids[0]
    return folder, found


@pytest.fixture
def stored(runs: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    folder, ids = runs
    monkeypatch.setenv("GAPWISE_HOME", str(folder / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(folder / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("GAPWISE_LEDGER_URL", raising=False)
    monkeypatch.chdir(folder)
    return ids


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("kind", ["homes", "skies"])
def test_every_page_runs(page: Page, stored: dict[str, str], name: str, kind: str) -> None:
    test = page(name, experiment=kind, run=stored[kind], other=stored[f"{kind}-short"])
    assert not test.exception
    assert [str(error.value) for error in test.error] == []


def test_the_run_page_draws_numbers_as_numbers(page: Page, stored: dict[str, str]) -> None:
    test = page("run", experiment="homes", run=stored["homes"])
    text = said(test)
    assert "Predicted against true" in text
    assert "Error by price, dollars" in text
    for nonsense in ("Label → prediction", "Precision, recall, F1", "no classes"):
        assert nonsense not in text
    units = next(t.value for t in test.table if "R²" in t.value.to_string())
    assert "mean absolute error" in units.to_string()
    worst = test.dataframe[0].value
    assert {"example", "label", "predicted", "error, %", "size", "kind"} <= set(worst)
    assert worst["error, %"].is_monotonic_decreasing
    assert set(worst["kind"]) <= {"a", "b"}
    assert worst["label"].str.endswith("dollars").all()


def test_the_run_page_has_a_tab_a_label(page: Page, stored: dict[str, str]) -> None:
    test = page("run", experiment="skies", run=stored["skies"])
    text = said(test)
    assert "Error by label" in text
    assert [tab.label for tab in test.tabs] == ["wet", "cold"] * 3
    worst = test.dataframe[0].value
    assert worst["label"].str.contains("wet: ").all()
    assert worst["label"].str.contains("cold: ?", regex=False).any()


def test_compare_speaks_of_more_and_less(page: Page, stored: dict[str, str]) -> None:
    for kind in ("homes", "skies"):
        ids = {"run": stored[kind], "other": stored[f"{kind}-short"]}
        text = said(page("compare", experiment=kind, **ids))
        assert "sign flips by example" in text
        assert "errs less in B than in A" in text
        assert "wrong in A" not in text
