"""Pages show what was said since, wherever the ledger lives; they compute nothing anew for less."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import fresh
from gapwise.ledger.labels import Review, reviewed
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows import labelled

Page = Callable[..., AppTest]


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(
    request: pytest.FixtureRequest, stored: object, monkeypatch: pytest.MonkeyPatch
) -> Ledger:
    if request.param == "postgresql":
        address = request.getfixturevalue("new_database")()
        monkeypatch.setenv("GAPWISE_LEDGER_URL", address)
    return Ledger(Settings.read().ledger_url)


def said(test: AppTest) -> str:
    assert not test.exception
    return "\n".join(str(part.value) for part in (*test.markdown, *test.caption, *test.table))


def mend_all(run_id: str, ledger: Ledger) -> None:
    """Say of every wrong dev example that the network was right."""
    settings = Settings.read()
    table = labelled.read(RunStore(settings).open(run_id), "dev", settings)
    wrong = [row for row in range(len(table)) if table.error[row] > 0]
    assert wrong
    ledger.append_all([
        reviewed("digits", Review(
            example_id=str(table.example_id[row]), verdict="change", author="ann", split="dev",
            given=table.classes[int(table.target[row])],
            label=table.classes[int(table.predicted[row])],
        ))
        for row in wrong
    ])  # fmt: skip


def test_labels_that_were_mended_are_seen_at_once(ledger: Ledger, page: Page) -> None:
    run = RunStore(Settings.read()).open("short").run_id
    before = said(page("what_next", experiment="digits", run=run))
    assert "Data mismatch] is your largest gap" in before
    mend_all(run, ledger)
    after = said(page("what_next", experiment="digits", run=run))
    assert "Data mismatch] is your largest gap" not in after


def test_what_tags_do_not_move_is_not_computed_anew_for_them(ledger: Ledger) -> None:
    def marks() -> tuple[fresh.Mark, fresh.Mark, fresh.Mark]:
        return fresh.runs_mark(), fresh.stamp(), fresh.stamp(tags=True)

    def append(kind: str) -> None:
        ledger.append(dataset="digits", example_id="1", kind=kind, value={}, author="ann")

    runs, labels, everything = marks()
    append("read")
    assert marks()[:2] == (runs, labels)
    assert marks()[2] != everything
    append("opinion")
    assert marks()[0] == runs
    assert marks()[1] != labels
    labels = marks()[1]
    append("read")
    assert marks()[1] == labels
