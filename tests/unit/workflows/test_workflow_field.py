"""The error in use: a rung of its own, after dev or test."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import UsageError
from gapwise.ledger import field
from gapwise.ledger.ledger import Ledger
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.field import state_field


def test_use_is_a_rung_and_its_gap_has_knobs(photo_shop: Any) -> None:
    before = diagnose_runs([photo_shop.run], settings=photo_shop.settings)
    found = state_field(photo_shop.run, 0.9, 400, "support", settings=photo_shop.settings)
    assert [rung.rung for rung in found.ladder] == [*(r.rung for r in before.ladder), "field"]
    assert (found.ladder[-1].error, found.ladder[-1].n) == (0.9, 400)
    gap = found.gaps[-1]
    assert gap.name == "dev_overfit+field"
    assert gap.is_high
    assert gap.gap == pytest.approx(0.9 - before.ladder[-1].error)
    assert "Change the metric" in [knob.name for knob in found.knobs]
    shown = diagnose_runs([photo_shop.run], test=True, settings=photo_shop.settings)
    assert [one.name for one in shown.gaps[-2:]] == ["dev_overfit", "field"]


def test_the_latest_word_counts_and_the_past_stays(photo_shop: Any) -> None:
    for error in (0.3, 0.2):
        state_field(photo_shop.run, error, 100, "", settings=photo_shop.settings)
    ledger = Ledger(photo_shop.settings.ledger_url)
    dataset = ledger.events(kind=field.KIND)[-1].dataset
    latest = field.latest(ledger, dataset, photo_shop.run)
    assert latest is not None
    assert latest["error"] == 0.2
    assert len(ledger.events(kind=field.KIND)) >= 2
    assert field.latest(ledger, dataset, "another") is None


@pytest.mark.parametrize(("error", "n", "says"), [(1.2, 10, "no fraction"), (0.1, 0, "no count")])
def test_what_cannot_be_measured_is_told(photo_shop: Any, error: float, n: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        state_field(photo_shop.run, error, n, "", settings=photo_shop.settings)


def test_the_command_line_states_it(photo_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HOME", photo_shop.settings.home), ("CACHE", photo_shop.settings.cache)):
        monkeypatch.setenv(f"GAPWISE_{name}", str(value))
    words = ["field", photo_shop.run, "--error", "0.4", "--n", "50", "--source", "support"]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["ladder"][-1]["rung"] == "field"
