"""`gapwise try`: turn one knob, compare on the same examples, and write down what it gained."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from gapwise.diagnostics import ladder
from gapwise.diagnostics.catalogue import CATALOGUE
from gapwise.diagnostics.compare import Comparison
from gapwise.diagnostics.knobs import acted_on, knobs, overrides
from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.ledger import decisions
from gapwise.ledger.decisions import Decision, Outcome
from gapwise.ledger.ledger import Ledger
from gapwise.records import Gap, Knob, plain
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows.author import author
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.diagnose import evidence_of
from gapwise.workflows.train import train


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What ``try --json`` says.

    Attributes:
        decision: what stands in the ledger.
        comparison: base (A) against new (B) on dev.
        known: whether it was tried before, and nothing was trained or written now.
    """

    decision: Decision
    comparison: Comparison
    known: bool

    @property
    def says(self) -> str:
        """One sentence: predicted against achieved."""
        one = self.decision
        could = "an unknown amount" if one.at_most is None else f"{100 * one.at_most:.1f} points"
        span = (
            ""
            if one.low is None or one.high is None
            else f" ({100 * one.low:.1f} to {100 * one.high:.1f})"
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
        known = compare_runs(before.base, before.new, "dev", None, settings)
        return Attempt(decision=before, comparison=known, known=True)
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
    return Attempt(decision=decision, comparison=found, known=False)


def find_knob(run: StoredRun, knob_id: str, settings: Settings) -> Knob:
    """Return the knob of this name that applies to a run, with what it can gain at most there.

    Raises:
        UsageError: there is none, or it does not apply.
    """
    evidence = evidence_of([run], settings)
    diagnosis = ladder.diagnose(evidence)
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
    known = {acted_on(part) for one in diagnosis.gaps for part in one.name.split("+")}
    if gap not in known:
        return _unbounded(knob_id, gap, evidence)
    raise UsageError(
        f"the knob {knob_id} does not apply to run {run.run_id} ({run.name}): it is turned "
        f"already, or the pipeline has no such part; these do: {', '.join(offered) or 'none'}"
    )


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
    words = overrides(knob.change)
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


def _outcome(found: Comparison) -> Outcome:
    outcomes: dict[str, Outcome] = {"a": "dropped", "b": "kept"}
    return outcomes.get(found.verdict, "undecided")
