"""The card of *Compare* that asks which run people find better."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from gapwise.ledger import preferences
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore

Page = Callable[..., AppTest]


def said(test: AppTest) -> str:
    text = "\n".join(str(part.value) for part in (*test.markdown, *test.caption))
    return text.replace("\\", "").replace("\u2060", "")


def press(test: AppTest, key: str) -> None:
    next(button for button in test.button if button.key == key).click().run()


def test_a_preference_is_noted_shown_and_taken_back(page: Page, stored: Path) -> None:
    rows = RunStore(Settings.read()).rows()
    known = {f"{row.name}/{row.seed}": row.run_id for row in rows.itertuples()}
    a, b = known["short/0"], known["digits/2"]
    test = page("compare", run=a, other=b)
    assert "Flips by class" in said(test)
    test.text_input(key="prefer-why").set_value("<b>safer</b>").run()
    press(test, "prefer-A")
    assert not test.exception
    (noted,) = preferences.stated(Ledger(Settings.read().ledger_url), "digits")
    assert (noted.better, noted.worse, noted.why) == (a, b, "<b>safer</b>")
    assert "**A** is preferred" in said(test)
    press(test, "prefer-B")
    assert "**B** is preferred" in said(test)
    press(test, "prefer-none")
    assert preferences.stated(Ledger(Settings.read().ledger_url), "digits") == []
    assert "is preferred" not in said(test)


@pytest.mark.usefixtures("stored")
def test_select_says_how_worn_dev_is(page: Page) -> None:
    assert "Dev was used to choose among 4 runs" in said(page("select", experiment="digits"))
