"""*Ceiling* over real runs: a system, and the same with its steps made perfect."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import data
from gapwise.settings import Settings

Page = Callable[..., AppTest]


@pytest.fixture
def system(stored: Path, made: ModuleType) -> tuple[str, str]:
    """The ids of a system that errs on 22 % of dev, and of it with its first step perfect."""
    settings = Settings.read()
    pipeline, prepared = made.prepare(settings)
    errors = {"train": 0.0, "train_dev": 0.04, "test": 0.2}
    ends = {"system": 0.22, "<b>found</b> by hand": 0.05}
    first, second = (
        made.make_run(settings, pipeline, prepared, name=name, errors={**errors, "dev": dev})
        for name, dev in ends.items()
    )
    return first, second


def test_it_says_where_to_work_first(page: Page, system: tuple[str, str]) -> None:
    test = page("ceiling", run=system[0], perfect=f"find={system[1]}")
    assert not test.exception
    assert [str(error.value) for error in test.error] == []
    said = " ".join(str(block.value) for block in test.markdown)
    assert "Work on :green[find] first" in said
    assert "the rest" in str(test.table[0].value)


def test_it_asks_for_runs_and_takes_names_for_steps(page: Page, system: tuple[str, str]) -> None:
    test = page("ceiling", run=system[0])
    assert "Choose at least one" in " ".join(str(c.value) for c in test.caption)
    test.multiselect[0].set_value([system[1]]).run()
    assert test.text_input[0].value == "step 1"
    test.text_input[0].set_value("find; it=all").run()
    said = " ".join(str(block.value) for block in test.markdown)
    assert "find- it-all" in said.replace("\\", "").replace("\u2060", "")


def test_a_runs_report_can_be_taken_away(system: tuple[str, str]) -> None:
    text = data.report(system[1]).decode()
    assert text.startswith("<!doctype html>")
    assert "&lt;b&gt;found&lt;/b&gt; by hand" in text
    assert "The test error is not shown" in text
