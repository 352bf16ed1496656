"""An ensemble on the pages: diagnosed, drawn and compared like any other run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import data, example_data
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows.ensemble import ensemble

Page = Callable[..., AppTest]


@pytest.fixture
def average(stored: Path) -> tuple[str, str]:
    """The ids of an ensemble of three seeds and of one of them."""
    rows = RunStore(Settings.read()).rows()
    seeds = rows[rows["group"] != ""]["run_id"].tolist()
    return ensemble(seeds).run_id, str(seeds[0])


def test_pages_show_an_ensemble(page: Page, average: tuple[str, str]) -> None:
    run_id, member = average
    for name, query in (
        ("what_next", {"run": run_id}),
        ("run", {"run": run_id, "split": "dev"}),
        ("compare", {"run": member, "other": run_id}),
    ):
        test = page(name, **query)
        assert not test.exception
        assert [str(error.value) for error in test.error] == []


def test_its_pictures_are_its_members(average: tuple[str, str]) -> None:
    run_id, member = average
    table = data.predictions(run_id, "dev")
    assert example_data.has_pictures(run_id)
    example = str(table.example_id[0])
    assert (example_data.picture(run_id, example) == example_data.picture(member, example)).all()
    subject = next(one for one in data.subjects("digits") if one.run_ids == (run_id,))
    assert data.facts(subject).network == "ensemble of 3"
