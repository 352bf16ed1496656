"""Every page alone: empty, with many runs, with a run that goes away."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from gapwise.ledger import looks
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore

Page = Callable[..., AppTest]
PAGES = Path(__file__).parents[2] / "dashboards" / "pages"
ALL = sorted(file.stem.split("_", 2)[2] for file in PAGES.glob("*.py"))


def said(test: AppTest) -> str:
    parts = [*test.markdown, *test.caption, *test.error, *test.info, *test.warning, *test.code]
    return "\n".join(str(part.value) for part in parts).replace("\u2060", "").replace("\\", "")


def ids(home: Path) -> dict[str, str]:
    rows = RunStore(Settings.read()).rows()
    return {f"{row.name}/{row.seed}": row.run_id for row in rows.itertuples()}


FULL = ("splits", "health")
"""Pages that have something to show in an empty home."""


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", [name for name in ALL if name not in FULL])
def test_b3_an_empty_page_names_the_command_that_fills_it(page: Page, name: str) -> None:
    test = page(name)
    assert not test.exception
    assert not test.error
    fillers = {"learning_curve": "gapwise curve", "decision_log": "gapwise try"}
    fillers |= {"search": "make search"}
    filler = fillers.get(name, "train")
    assert any(filler in str(code.value) for code in test.code)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("name", ALL)
def test_a_page_runs_alone(page: Page, name: str) -> None:
    test = page(name)
    assert not test.exception
    assert [str(error.value) for error in test.error] == []


@pytest.mark.usefixtures("stored")
def test_what_next_says_verdict_steps_and_counts(page: Page) -> None:
    text = said(page("what_next"))
    assert ":red[Data mismatch] is your largest gap" in text
    assert "3 seeds" in text
    assert "≤" in text
    assert "gapwise train digits" in text
    assert "Quarantined" in text
    assert "bias is counted from 0" in text


@pytest.mark.usefixtures("stored")
def test_what_next_estimates_bayes_error_on_demand(page: Page) -> None:
    test = page("what_next")
    assert "nearest-neighbour" not in said(test)
    test.toggle[0].set_value(True).run()
    assert not test.exception
    text = said(test)
    assert "nearest-neighbour rule" in text or "was not trained here" in text


def test_the_test_error_is_shown_only_on_request_and_counted(page: Page, stored: Path) -> None:
    test = page("what_next")
    ledger = Ledger(Settings.read().ledger_url)
    dataset = RunStore(Settings.read()).open("latest").dataset
    assert looks.count(ledger, dataset) == 0
    test.button(key="show-test").click().run()
    assert not test.exception
    assert "Test set" in said(test)
    assert looks.count(ledger, dataset) == 1
    test.run()
    assert looks.count(ledger, dataset) == 1


@pytest.mark.usefixtures("stored")
def test_no_page_shows_the_test_split_unasked(page: Page, stored: Path) -> None:
    test = page("run", run=ids(stored)["digits/1"], experiment="digits")
    splits = [box for box in test.selectbox if box.key == "choose-split"]
    assert splits
    assert all("Test" not in str(option) for box in splits for option in box.options)
    assert not any("test" in str(button.proto.label) for button in test.get("download_button"))
    table = page("runs").dataframe[0].value
    assert not any("test" in str(name).lower() for name in table.columns)


def test_run_shows_the_run_that_the_url_names(page: Page, stored: Path) -> None:
    test = page("run", run=ids(stored)["short/0"])
    assert "# short" in said(test)
    assert "finished" in said(test)


def test_b3_a_killed_run_has_curves_and_the_command_to_go_on(page: Page, stored: Path) -> None:
    text = said(page("run", run=ids(stored)["stopped/0"], experiment="digits"))
    assert "killed" in text
    assert "gapwise resume" in text


def test_b4_a_run_deleted_while_open_is_told(page: Page, stored: Path) -> None:
    run_id = ids(stored)["short/0"]
    test = page("run", run=run_id, experiment="digits")
    (stored / "mlflow.db").unlink()
    shutil.rmtree(stored / "runs" / run_id)
    test.run()
    assert not test.exception
    assert "not there any more" in said(test)


def test_b4_a_wiped_home_is_an_empty_page(page: Page, stored: Path) -> None:
    test = page("what_next")
    shutil.rmtree(stored)
    test.run()
    assert not test.exception
    assert not test.error


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("name", ALL)
def test_b5_an_error_in_a_page_is_a_code_and_an_id(
    page: Page, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret-detail")

    for part in ("dashboards.data.experiments", "dashboards.data.runs",
                 "dashboards.data.comparable", "dashboards.split_data.pipelines",
                 "dashboards.data.learning_curves", "dashboards.search_data.studies",
                 "dashboards.launch_view.known", "dashboards.health_view.vitals"):  # fmt: skip
        monkeypatch.setattr(part, broken)
    test = page(name)
    assert not test.exception
    (error,) = test.error
    assert "E500" in str(error.value)
    assert "secret-detail" not in said(test)


@pytest.mark.usefixtures("stored")
def test_compare_says_who_errs_less_and_what_changed(page: Page, stored: Path) -> None:
    known = ids(stored)
    text = said(page("compare", run=known["short/0"], other=known["digits/2"]))
    assert "B] errs less" in text
    assert "exact McNemar" in text


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("by", ["runs", "seeds", "pipeline"])
def test_runs_lists_and_groups(page: Page, by: str) -> None:
    test = page("runs")
    test.session_state["by"] = by
    test.run()
    assert not test.exception
    table = test.dataframe[0].value
    assert len(table) == {"runs": 5, "seeds": 2, "pipeline": 1}[by]


@pytest.mark.usefixtures("stored")
def test_runs_filters_by_text(page: Page) -> None:
    test = page("runs")
    test.text_input(key="find").set_value("short").run()
    assert list(test.dataframe[0].value["Run"]) == ["short"]
    test.text_input(key="find").set_value("nothing like it").run()
    assert not test.exception
    assert "No run fits" in said(test)


def test_compare_offers_runs_of_the_same_dataset_alone(page: Page, stored: Path) -> None:
    with RunStore(Settings.read()).create(
        experiment="other", name="other", kind="record", seed=None, group=None, dataset="elsewhere"
    ) as writer:
        writer.finish("FINISHED")
    assert "No other run is of this dataset" in said(page("compare", run=writer.run_id))
