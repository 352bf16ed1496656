"""`gapwise try`: turn one knob, compare on the same examples, and write down what it gained."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from gapwise.diagnostics.advice import AdviceRecord, Tried, advice_record
from gapwise.diagnostics.catalogue import CATALOGUE
from gapwise.diagnostics.compare import Comparison
from gapwise.diagnostics.knobs import knobs
from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.ledger import decisions
from gapwise.ledger.decisions import OUTCOMES, Decision, Outcome
from gapwise.ledger.ledger import Ledger
from gapwise.records import Gap, Knob, plain
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows.author import author
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.diagnose import diagnose_runs, evidence_of
from gapwise.workflows.train import train


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What ``try --json`` says.

    Attributes:
        decision: what stands in the ledger.
        comparison: base (A) against new (B) on dev.
        known: whether it was tried before, and nothing was trained or written now.
        names: of base and new run.
    """

    decision: Decision
    comparison: Comparison
    known: bool
    names: tuple[str, str]

    @property
    def says(self) -> str:
        """One sentence: predicted against achieved."""
        one = self.decision
        could = "an unknown amount" if one.at_most is None else f"{100 * one.at_most:.1f} points"
        span = (
            ""
            if one.low is None or one.high is None
            else (f" ({100 * one.low:.1f} to {100 * one.high:.1f})")
        )
        ends = {
            "kept": "it is kept",
            "dropped": "it is dropped",
            "undecided": "chance alone could do that, so nothing is decided",
        }
        again = "Tried before: " if self.known else ""
        return (
            f"{again}{one.knob} could gain {could} at most (by {one.bound or 'no bound'}) and "
            f"gained {100 * one.gained:+.1f}{span} on {one.n:,} dev examples: {ends[one.outcome]}."
        )

    def as_json(self) -> dict[str, Any]:
        """Return the document."""
        found: dict[str, Any] = plain(
            {
                **asdict(self.decision),
                "run_id": self.decision.new,
                "known": self.known,
                "says": self.says,
                "comparison": self.comparison.as_json(),
            }
        )
        return found


def attempt(
    ref: str,
    knob_id: str,
    *,
    new: str | None = None,
    why: str = "",
    again: bool = False,
    settings: Settings | None = None,
) -> Attempt:
    """Turn the knob ``knob_id`` of the run ``ref``, and note in the ledger what it gained.

    The run's own pipeline is trained with the one change, under the same seed. Asked again, what
    was tried before is told, and nothing is trained.

    Args:
        ref: the run to start from.
        knob_id: as ``diagnose`` names it.
        new: a run in which the knob is turned already (by people, say); nothing is trained.
        why: a word for the log.
        again: train although it was tried before.
        settings: where runs are.

    Raises:
        UsageError: no such run or knob, or a knob that only people can turn and no ``new``.
        DataError: the two cannot be compared.
        PipelineError, TrainingError, StorageError: as in training.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    base = store.open(ref)
    ledger = Ledger(settings.ledger_url)
    knob = find_knob(base, knob_id, settings)
    before = _tried(ledger, base, knob, None if new is None else store.open(new).run_id)
    if before is not None and not again:
        return _told(before, store, settings, known=True)
    after = store.open(new) if new is not None else _turned(base, knob, settings, store)
    if after.run_id == base.run_id:
        raise UsageError(f"{shown(ref)} is the run itself; name one in which the knob is turned")
    found = compare_runs(base.run_id, after.run_id, "dev", None, settings)
    decision = Decision(
        base=base.run_id,
        new=after.run_id,
        knob=knob.id,
        gap=knob.gap,
        change=plain(knob.change),
        at_most=knob.at_most,
        bound=knob.bound,
        gained=found.difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        n=found.n_shared,
        outcome=_outcome(found),
        why=why,
        author=author(),
    )
    decisions.decide(ledger, decision, dataset=base.dataset)
    return _told(decision, store, settings, known=False)


def find_knob(run: StoredRun, knob_id: str, settings: Settings) -> Knob:
    """Return the knob of this name that applies to a run, with what it can gain at most there.

    Raises:
        UsageError: there is none, or it does not apply.
    """
    diagnosis = diagnose_runs([run.run_id], settings=settings)
    evidence = evidence_of([run], settings)
    inherent = float((diagnosis.extra.get("inherent_mismatch") or {}).get("gap", 0.0))
    offered = {
        knob.id: knob
        for gap in diagnosis.gaps
        for knob in knobs(evidence, gap, inherent if "data_mismatch" in gap.name else 0.0)
    }
    if knob_id in offered:
        return offered[knob_id]
    everything = {entry.id: entry for entry in CATALOGUE}
    if knob_id not in everything:
        raise UsageError(
            f"there is no knob {shown(knob_id)!r}; {did_you_mean(knob_id, list(everything))}"
        )
    gap = everything[knob_id].gap
    if all(
        gap not in one.name.replace("bias", "avoidable_bias").split("+") for one in diagnosis.gaps
    ):
        return _unbounded(knob_id, gap, evidence)
    raise UsageError(
        f"the knob {knob_id} does not apply to run {run.run_id} ({run.name}): it is turned "
        f"already, or the pipeline has no such part; these do: {', '.join(offered) or 'none'}"
    )


def decide(ref: str, outcome: str, why: str = "", *, settings: Settings | None = None) -> Decision:
    """Change what became of a knob that was tried: the newest decision whose new run is ``ref``.

    Raises:
        UsageError: nothing was decided about that run, or the outcome is none.
    """
    settings = settings or Settings.read()
    run = RunStore(settings).open(ref)
    if outcome not in OUTCOMES:
        raise UsageError(f"{shown(outcome)!r} is no outcome; {did_you_mean(outcome, OUTCOMES)}")
    ledger = Ledger(settings.ledger_url)
    found = [one for one in decisions.standing(ledger, run.dataset) if one.new == run.run_id]
    if not found:
        raise UsageError(
            f"no knob was tried that led to run {run.run_id} ({run.name}); `gapwise decisions` "
            "lists those that were"
        )
    chosen: Outcome = outcome
    changed = replace(found[-1], outcome=chosen, why=why, author=author())
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


def _unbounded(knob_id: str, gap: str, evidence: Any) -> Knob:
    """Return a knob of a gap that this ladder does not have: its bound is not known."""
    stand_in = Gap(name=gap, gap=0.0, low=None, high=None, is_high=False, probability_largest=0.0)
    found = {knob.id: knob for knob in knobs(evidence, stand_in)}
    if knob_id not in found:
        raise UsageError(
            f"the knob {knob_id} does not apply here: it is turned already, or the pipeline has no "
            "such part"
        )
    return replace(found[knob_id], at_most=None, bound="")


def _turned(base: StoredRun, knob: Knob, settings: Settings, store: RunStore) -> StoredRun:
    if not knob.change:
        raise UsageError(
            f"the knob {knob.id} is for people to turn; do it, then name the run that it led to: "
            f"gapwise try {base.run_id[:10]} {knob.id} --with RUN"
        )
    if base.folder is None or not (base.folder / "pipeline.yaml").is_file():
        raise DataError(
            f"run {base.run_id} ({base.name}) has no pipeline here to turn a knob of; name a run "
            "that `gapwise train` made here"
        )
    words = [f"{key}={_yaml(value)}" for key, value in knob.change.items()]
    if base.seed is not None:
        words.append(f"seed={base.seed}")
    done = train(
        str(base.folder / "pipeline.yaml"),
        words,
        run_name=f"{knob.id}-of-{base.run_id[:6]}",
        settings=settings,
    )
    return store.open(done.run_ids[0])


def _tried(ledger: Ledger, base: StoredRun, knob: Knob, new: str | None) -> Decision | None:
    for one in reversed(decisions.standing(ledger, base.dataset)):
        same = one.base == base.run_id and one.knob == knob.id
        if same and (one.new == new if new else dict(one.change) == plain(knob.change)):
            return one
    return None


def _told(decision: Decision, store: RunStore, settings: Settings, *, known: bool) -> Attempt:
    found = compare_runs(decision.base, decision.new, "dev", None, settings)
    names = (store.open(decision.base).name, store.open(decision.new).name)
    return Attempt(decision=decision, comparison=found, known=known, names=names)


def _outcome(found: Comparison) -> Outcome:
    outcomes: dict[str, Outcome] = {"a": "dropped", "b": "kept"}
    return outcomes.get(found.verdict, "undecided")


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
