"""*Slices* over real runs: the answer, the columns, and the split in the URL."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

Page = Callable[..., AppTest]


def said(test: AppTest) -> str:
    text = "\n".join(str(part.value) for part in (*test.markdown, *test.caption, *test.info))
    return text.replace("\\", "").replace("\u2060", "")


@pytest.mark.usefixtures("stored")
def test_it_answers_and_shows_every_column(page: Page) -> None:
    test = page("slices", split="dev")
    assert not test.exception
    text = said(test)
    assert "surely weak" in text
    assert "By class" in text
    assert "found on one half, confirmed on the other" in text
    test.selectbox[1].set_value("train").run()
    assert not test.exception
    assert "Train, n =" in said(test)


@pytest.mark.usefixtures("stored")
def test_dev_is_compared_on_demand(page: Page) -> None:
    test = page("slices", split="dev")
    assert "deviations" not in said(test)
    test.toggle[0].set_value(True).run()
    assert not test.exception
    assert "How dev differs" in said(test)
    assert "contrast is lower in dev" in said(test)
