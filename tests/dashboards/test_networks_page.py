"""The page Networks: any network without a run, and a trained one looked into."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from gapwise.settings import Settings
from gapwise.workflows.init import init
from gapwise.workflows.train import train

Page = Callable[..., AppTest]
SMALL = ["training.epochs=1", "training.threads=1", "training.device=cpu"]


def said(test: AppTest) -> str:
    parts = [*test.markdown, *test.caption, *test.error, *test.info, *test.warning]
    return "\n".join(str(part.value) for part in parts).replace("\u2060", "").replace("\\", "")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("networks")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("GAPWISE_LEDGER_URL", raising=False)
        patch.setenv("GAPWISE_HOME", str(folder / "home"))
        patch.setenv("GAPWISE_CACHE", str(folder / "cache"))
        kinds = {"cnn": "network.channels=[4, 6]", "dense": "network=multilayer-perceptron"}
        runs = {
            kind: train("digits", [*SMALL, change], settings=Settings.read()).run_ids[0]
            for kind, change in kinds.items()
        }
    return folder, runs


@pytest.fixture
def runs(trained: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    folder, found = trained
    monkeypatch.setenv("GAPWISE_HOME", str(folder / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(folder / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("GAPWISE_LEDGER_URL", raising=False)
    return found


def test_without_runs_any_network_can_be_looked_at(page: Page, home: Path) -> None:
    test = page("networks", network="resnet50")
    assert not test.exception
    text = said(test)
    assert "25,557,032" in text
    assert "5.11" in text
    assert "Train a network" in text
    table = test.dataframe[0].value
    assert table["parameters"].sum() == 25_557_032


@pytest.mark.parametrize("name", ["lenet5", "inception", "perceptron", "linear-regression"])
def test_networks_of_every_kind_are_drawn(page: Page, home: Path, name: str) -> None:
    test = page("networks", network=name)
    assert not test.exception
    assert [str(error.value) for error in test.error] == []


def test_an_unknown_network_is_one_line(page: Page, home: Path) -> None:
    test = page("networks", network="lenet6")
    assert not test.exception


def test_a_run_alone_in_the_link_is_the_run_that_is_shown(page: Page, runs: dict[str, str]) -> None:
    test = page("networks", run=runs["cnn"])
    assert not test.exception
    assert [str(error.value) for error in test.error] == []
    text = said(test)
    assert "# small-cnn" in text
    for part in ("Learned by convolution1", "What a layer makes of it", "What excites unit 0"):
        assert part in text
    assert "spread evenly" in text or "all 400 pictures of dev" in text


def test_layer_unit_and_example_stand_in_the_link(page: Page, runs: dict[str, str]) -> None:
    test = page("networks", run=runs["cnn"], layer="convolution2", unit="5")
    text = said(test)
    assert "What excites unit 5 of convolution2 most" in text
    beyond = page("networks", run=runs["cnn"], layer="convolution2", unit="6")
    assert "What excites unit 0 of convolution2 most" in said(beyond)


def test_an_example_that_is_not_there_is_said(page: Page, runs: dict[str, str]) -> None:
    test = page("networks", run=runs["cnn"], example="nobody")
    assert not test.exception
    assert "dev has no example nobody" in said(test)


def test_weights_that_are_gone_leave_the_drawing_and_name_the_command(
    page: Page, stored: Path
) -> None:
    """The made-up runs have no checkpoint."""
    test = page("networks")
    assert not test.exception
    assert "# small-cnn" in said(test)
    assert "Its weights cannot be read" in said(test)
    assert "gapwise train digits" in [str(code.value) for code in test.code]


def test_the_run_page_opens_the_network_of_its_run(page: Page, runs: dict[str, str]) -> None:
    test = page("run", run=runs["dense"])
    test.session_state["carried"] |= {"network": "lenet5", "layer": "C1", "unit": "3"}
    test.button(key="look-inside").click().run()
    assert not test.exception
    carried = test.session_state["carried"]
    assert carried["run"] == runs["dense"]
    assert not {"network", "layer", "unit"} & set(carried)


def test_next_and_previous_go_round(page: Page, runs: dict[str, str]) -> None:
    test = page("networks", run=runs["cnn"])
    first = test.text_input(key="example-id").value
    test.button(key="example-before").click().run()
    assert "400 of 400" in said(test)
    test.button(key="example-after").click().run()
    assert test.text_input(key="example-id").value == first


def test_another_layer_starts_at_its_first_unit(page: Page, runs: dict[str, str]) -> None:
    test = page("networks", run=runs["cnn"], layer="convolution1", unit="3")
    test.select_slider(key="layer").set_value("output").run()
    assert not test.exception
    assert "What excites unit 0 of output most" in said(test)
    assert "sees the whole picture" in said(test)


def test_rows_of_features_say_what_is_not_drawn(page: Page, tmp_path: Path, home: Path) -> None:
    table = tmp_path / "rows.csv"
    lines = [f"r{i},{i % 7},{i % 5},{'yes' if i % 7 > i % 5 else 'no'}" for i in range(200)]
    table.write_text("\n".join(["id,a,b,label", *lines]))
    pipeline = init(table, tmp_path / "rows.yaml")
    run = train(str(pipeline), SMALL, settings=Settings.read()).run_ids[0]
    test = page("networks", run=run)
    assert not test.exception
    assert [str(error.value) for error in test.error] == []
    assert "are not drawn" in said(test)
    assert len(test.dataframe[0].value) >= 2


def test_a_dense_network_shows_its_weights_as_pictures(page: Page, runs: dict[str, str]) -> None:
    test = page("networks", run=runs["dense"])
    assert not test.exception
    assert "one weight a pixel" in said(test)
