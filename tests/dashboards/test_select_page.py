"""*Select* over real runs: the winner, limits in the URL, and what means nothing."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

Page = Callable[..., AppTest]


def said(test: AppTest) -> str:
    parts = [*test.markdown, *test.caption, *test.info, *test.error, *test.code]
    text = "\n".join(str(part.value) for part in parts)
    return text.replace("\\", "").replace("\u2060", "")


@pytest.mark.usefixtures("stored")
def test_it_names_the_run_to_take(page: Page) -> None:
    test = page("select", experiment="digits")
    assert not test.exception
    text = said(test)
    assert "Take :green[" in text
    assert "4 feasible, 0 borderline and 0 infeasible" in text
    assert "Set a limit on another metric" in text
    assert "gapwise select digits --optimize accuracy" in text


@pytest.mark.usefixtures("stored")
def test_a_limit_stands_in_the_url_and_is_judged(page: Page) -> None:
    test = page("select", experiment="digits", optimize="accuracy", limits="f1>=0.7;error<=0.9")
    assert not test.exception
    text = said(test)
    assert "1 infeasible" in text
    assert "is within its limit >= 0.7" in text
    assert "--limit 'f1>=0.7' --limit 'error<=0.9'" in text
    test.text_input[0].set_value("f1>=1.01").run()
    assert "No run surely keeps every limit" in said(test)
    test.selectbox[1].set_value("error").run()
    assert "Optimize" not in said(test)
    assert not test.exception


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("limits", "says"),
    [("acuracy<=1", "did you mean accuracy"), ("<b>fast</b>", "is no limit")],
)
def test_what_means_nothing_is_told_in_one_sentence(page: Page, limits: str, says: str) -> None:
    test = page("select", experiment="digits", limits=limits)
    assert not test.exception
    assert [str(error.value) for error in test.error] == []
    assert says in said(test)


@pytest.mark.usefixtures("stored")
def test_runs_are_ranked_again_under_weights(page: Page) -> None:
    test = page("select", experiment="digits")
    assert "Does the metric rank as people do?" in said(test)
    assert "Nobody has said which of two runs is better" in said(test)
    test.text_input[1].set_value("0->1=10").run()
    assert not test.exception
    assert "weighted_error" in said(test)
    test.text_input[1].set_value("0->zebra=10").run()
    assert not test.exception
    assert "zebra" in said(test)
