"""`gapwise try`: a knob is turned, compared and written down, once."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.diagnostics.advice import Tried, advice_record
from gapwise.diagnostics.catalogue import CATALOGUE
from gapwise.errors import UsageError
from gapwise.ledger import decisions
from gapwise.ledger.ledger import Ledger
from gapwise.tracking.store import RunStore
from gapwise.workflows.attempt import attempt
from gapwise.workflows.decision_log import decide, decision_log
from gapwise.workflows.diagnose import diagnose_runs


def ledger(shop: Any) -> Ledger:
    return Ledger(shop.settings.ledger_url)


def test_a_knob_is_trained_compared_and_written_down_once(photo_shop: Any) -> None:
    settings = photo_shop.settings
    found = attempt(photo_shop.run, "train-longer", why="it still falls", settings=settings)
    decision = found.decision
    assert (decision.base, decision.knob, decision.gap) == (
        photo_shop.run, "train-longer", "avoidable_bias",
    )  # fmt: skip
    assert decision.change == {"training.epochs": 6}
    assert decision.bound == "the ladder"
    assert decision.gained == found.comparison.difference
    assert found.comparison.knobs_changed == {"training.epochs": (3, 6)}
    store = RunStore(settings)
    new, base = store.open(decision.new), store.open(decision.base)
    assert (new.seed, new.dataset) == (base.seed, base.dataset)
    assert found.comparison.n_shared == decision.n > 0
    events = len(ledger(photo_shop).events(kind=decisions.KIND))
    again = attempt(photo_shop.run, "train-longer", settings=settings)
    assert (again.known, again.decision.new) == (True, decision.new)
    assert len(ledger(photo_shop).events(kind=decisions.KIND)) == events
    assert again.says.startswith("Tried before")
    expected = {"a": "dropped", "b": "kept", "undecided": "undecided"}
    assert decision.outcome == expected[found.comparison.verdict]


def test_minds_can_change_and_the_log_tells_the_last_word(photo_shop: Any) -> None:
    settings = photo_shop.settings
    found = attempt(photo_shop.run, "train-longer", settings=settings)
    decide(found.decision.new, "dropped", "too slow", settings=settings)
    (stands,) = [
        o for o in decision_log(settings=settings).decisions
        if (o.new, o.knob) == (found.decision.new, "train-longer")
    ]  # fmt: skip
    assert (stands.outcome, stands.why) == ("dropped", "too slow")
    assert stands.gained == found.decision.gained
    with pytest.raises(UsageError, match="did you mean kept"):
        decide(found.decision.new, "kapt", settings=settings)
    with pytest.raises(UsageError, match="no knob was tried"):
        decide(photo_shop.run, "kept", settings=settings)


def test_what_people_turned_is_logged_with_the_run_that_it_led_to(photo_shop: Any) -> None:
    settings = photo_shop.settings
    new = attempt(photo_shop.run, "train-longer", settings=settings).decision.new
    found = attempt(photo_shop.run, "collect-more-training-data", new=new, settings=settings)
    assert (found.decision.new, found.decision.change) == (new, {})
    stands = [o.knob for o in decision_log(settings=settings).decisions if o.new == new]
    assert sorted(stands) == ["collect-more-training-data", "train-longer"]
    with pytest.raises(UsageError, match=r"2 decisions led to run .* say --knob collect-more"):
        decide(new, "kept", settings=settings)
    short = photo_shop.run[:10]  # as the sentence writes it
    kept = decide(new, "kept", knob="train-longer", base=short, settings=settings)
    assert (kept.base, kept.knob) == (photo_shop.run, "train-longer")
    with pytest.raises(UsageError, match="none of them so"):
        decide(new, "kept", knob="use-adam", settings=settings)
    assert decide(new, "dropped", knob="train-longer", settings=settings).knob == "train-longer"
    with pytest.raises(UsageError, match="is for people to turn"):
        attempt(photo_shop.run, "draw-a-fresh-dev-set", settings=settings)


@pytest.mark.parametrize(
    ("knob", "says"),
    [
        ("train-longr", "did you mean train-longer"),
        ("use-adam", "does not apply"),
    ],
)
def test_a_knob_that_is_none_or_is_turned_already_is_told(
    photo_shop: Any, knob: str, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        attempt(photo_shop.run, knob, settings=photo_shop.settings)


def test_the_command_line_logs_and_lists(photo_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HOME", photo_shop.settings.home), ("CACHE", photo_shop.settings.cache)):
        monkeypatch.setenv(f"GAPWISE_{name}", str(value))
    run = CliRunner().invoke
    done = run(app, ["try", photo_shop.run, "train-longer", "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert {"knob", "at_most", "gained", "low", "high", "outcome", "says"} <= set(document)
    assert run(app, ["try", photo_shop.run, "train-longer"]).exit_code == 0
    only = ["--knob", "train-longer", "--base", photo_shop.run]
    noted = run(app, ["decide", document["new"], "kept", "--why", "worth it", *only])
    assert noted.exit_code == 0, noted.output
    shown = run(app, ["decisions"])
    assert shown.exit_code == 0, shown.output
    assert "tried, " in shown.stdout
    listed = json.loads(run(app, ["decisions", "--json"]).stdout)
    by_knob = {one["knob"]: one for one in listed["decisions"]}
    assert (by_knob["train-longer"]["outcome"], by_knob["train-longer"]["why"]) == (
        "kept", "worth it",
    )  # fmt: skip
    assert listed["record"]["helped"]["n"] == len(listed["decisions"])


def test_every_knob_has_an_id_of_its_own_an_effort_and_a_bound(photo_shop: Any) -> None:
    ids = [entry.id for entry in CATALOGUE]
    assert len(set(ids)) == len(ids)
    assert {entry.effort for entry in CATALOGUE} == {"minutes", "hours", "days"}
    assert all(entry.effort == "minutes" for entry in CATALOGUE if entry.change)
    found = diagnose_runs([photo_shop.run], settings=photo_shop.settings)
    told = [knob for finding in found.findings for knob in finding.knobs]
    assert told
    assert all(knob.id in ids and knob.effort and knob.bound for knob in told)


def test_how_good_advice_was() -> None:
    tried = [Tried(helped=True, hurt=False, within=True)] * 3
    tried += [Tried(helped=False, hurt=True, within=None)]
    found = advice_record(tried)
    assert (found.helped.count, found.helped.n, found.hurt.count) == (3, 4, 1)
    assert (found.within.count, found.within.n) == (3, 3)
    assert found.helped.interval is not None
    assert "3 surely helped" in found.says
    assert advice_record([]).says == "Nothing has been tried yet."
