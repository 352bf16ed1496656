"""The decision log: what was tried on which advice, and what people made of it."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from gapwise.diagnostics.advice import AdviceRecord, Tried, advice_record
from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.ledger import decisions
from gapwise.ledger.decisions import OUTCOMES, Decision, Outcome
from gapwise.ledger.ledger import Ledger
from gapwise.records import plain
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows.author import author


def decide(
    ref: str,
    outcome: str,
    why: str = "",
    *,
    knob: str | None = None,
    base: str | None = None,
    settings: Settings | None = None,
) -> Decision:
    """Change what became of the knob that led to run ``ref``.

    Raises:
        UsageError: no knob led to that run, several did and none is named, there is no such run,
            or the outcome is none.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    run = store.open(ref)
    if outcome not in OUTCOMES:
        raise UsageError(f"{shown(outcome)!r} is no outcome; {did_you_mean(outcome, OUTCOMES)}")
    ledger = Ledger(settings.ledger_url)
    led = [one for one in decisions.standing(ledger, run.dataset) if one.new == run.run_id]
    if not led:
        raise UsageError(
            f"no knob was tried that led to run {run.run_id} ({run.name}); `gapwise decisions` "
            "lists those that were"
        )
    turned_in = None if base is None else store.open(base).run_id
    found = [one for one in led if knob in (None, one.knob) and turned_in in (None, one.base)]
    if len(found) != 1:
        known = " or ".join(sorted({f"--knob {one.knob} --base {one.base[:10]}" for one in led}))
        what = "none of them so" if not found else "several"
        raise UsageError(
            f"{len(led)} decisions led to run {run.run_id} ({run.name}), {what}; say {known}"
        )
    chosen: Outcome = outcome
    changed = replace(found[0], outcome=chosen, why=why, author=author())
    decisions.decide(ledger, changed, dataset=run.dataset)
    return changed


@dataclass(frozen=True, kw_only=True)
class DecisionLog:
    """What ``decisions --json`` says: the newest first, and how good the advice has been."""

    decisions: tuple[Decision, ...]
    names: dict[str, str]
    record: AdviceRecord

    def as_json(self) -> dict[str, Any]:
        """Return the document."""
        found: dict[str, Any] = plain(
            {
                "decisions": [
                    {**asdict(one), "base_name": self.names.get(one.base, ""),
                     "new_name": self.names.get(one.new, ""), "within": one.within}
                    for one in self.decisions
                ],
                "record": self.record.as_json(),
            }
        )  # fmt: skip
        return found


def decision_log(experiment: str | None = None, *, settings: Settings | None = None) -> DecisionLog:
    """Return every decision, the newest first; of one experiment's runs where it is named.

    Raises:
        UsageError: there is no such experiment.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    if experiment is not None and experiment not in store.experiments():
        known = store.experiments()
        raise UsageError(
            f"there is no experiment {shown(experiment)!r}; {did_you_mean(experiment, known)}"
        )
    rows = store.rows(experiment)
    names = dict(zip(rows["run_id"].astype(str), rows["name"].astype(str), strict=True))
    stands = decisions.standing(Ledger(settings.ledger_url))
    kept = [one for one in stands if experiment is None or one.base in names]
    tried = [
        Tried(
            helped=one.p_value < 0.05 and one.gained > 0,
            hurt=one.p_value < 0.05 and one.gained < 0,
            within=one.within,
        )
        for one in kept
    ]
    return DecisionLog(decisions=tuple(reversed(kept)), names=names, record=advice_record(tried))
