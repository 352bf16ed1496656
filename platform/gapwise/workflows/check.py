"""`gapwise check`: a run against a reference and its limits, for continuous integration."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from gapwise.diagnostics.compare import Comparison
from gapwise.diagnostics.errors_by_split import from_predictions
from gapwise.diagnostics.gate import Limit, Rule, not_worse
from gapwise.diagnostics.measures import NAMES, measure
from gapwise.diagnostics.selection import limit_rule
from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.records import plain
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import labelled
from gapwise.workflows.best import best_other
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.looking import count_looks
from gapwise.workflows.measuring import ABSENT, Measuring
from gapwise.workflows.split_names import split_named

OnDoubt = Literal["pass", "fail"]
ERROR = "error"
"""``dev/error`` is the error of dev, whichever split is compared."""


@dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """What ``gapwise check`` was asked for.

    Attributes:
        run: the run to judge.
        against: the reference; ``best`` is the best other run of the same experiment.
        split: the split compared.
        margin: how much more error than the reference is tolerated, a fraction of 1.
        limits: ``METRIC<=NUMBER``, one a limit; metrics are those of ``select``.
        undecided: whether a rule that is undecided passes.
        experiment: where the names of runs are looked up.
    """

    run: str
    against: str
    split: str = "dev"
    margin: float = 0.0
    limits: Sequence[str] = ()
    undecided: OnDoubt = "pass"
    experiment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """What the gate says.

    Attributes:
        run_id, name, experiment: the run that was judged.
        against: the run id of the reference, None where no other run is there yet.
        rules: each rule with whether it passed.
        comparison: run (A) against reference (B); None where there is none.
    """

    run_id: str
    name: str
    experiment: str
    against: str | None
    split: str
    rules: tuple[tuple[Rule, bool], ...]
    comparison: Comparison | None

    @property
    def passed(self) -> bool:
        """Whether every rule passed."""
        return all(passed for _, passed in self.rules)

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``check --json``."""
        compared = self.comparison.as_json() if self.comparison else None
        found: dict[str, Any] = plain(
            {
                "run_id": self.run_id,
                "name": self.name,
                "experiment": self.experiment,
                "against": self.against,
                "split": self.split,
                "passed": self.passed,
                "rules": [asdict(rule) | {"passed": passed} for rule, passed in self.rules],
                "comparison": compared,
            }
        )
        return found


def check_run(request: CheckRequest, settings: Settings | None = None) -> Check:
    """Judge a run; a look at ``test`` is counted first.

    Raises:
        UsageError: a run, a metric or a split is unknown, a limit or the margin cannot be read.
        DataError: a run has no such predictions, or the two cannot be compared.
    """
    settings = settings or Settings.read()
    limits = [Limit.parse(text) for text in request.limits]
    split = _checked(request)
    store = RunStore(settings)
    run = store.open(request.run, request.experiment)
    reference = _reference(store, run, request)
    compared, first = None, _alone(run, reference)
    if reference is not None and reference.run_id != run.run_id:
        compared = compare_runs(run.run_id, reference.run_id, split, None, settings)
        first = not_worse(compared, shown(reference.name), request.margin)
    elif split == "test" and any(measure(limit.metric).is_fraction for limit in limits):
        count_looks([run], settings)
    measuring = Measuring(split=split, settings=settings)
    measuring.read([run], [measure(limit.metric) for limit in limits])
    rules = [first, *(_limit(limit, run, measuring, settings) for limit in limits)]
    return Check(
        run_id=run.run_id,
        name=run.name,
        experiment=run.experiment,
        against=reference.run_id if reference else None,
        split=split,
        rules=tuple((rule, passes(rule, request.undecided)) for rule in rules),
        comparison=compared,
    )


def passes(rule: Rule, undecided: OnDoubt) -> bool:
    """Return whether a rule lets the run through the gate."""
    return rule.outcome == "holds" or (rule.outcome == "undecided" and undecided == "pass")


def _checked(request: CheckRequest) -> str:
    split = split_named(request.split)
    if not 0 <= request.margin < 1:
        raise UsageError(
            f"--margin {request.margin:g} is no fraction from 0 to 1; for one point write 0.01"
        )
    if request.undecided not in ("pass", "fail"):
        raise UsageError(f"--undecided {shown(request.undecided)!r}: write pass or fail")
    return split


def _reference(store: RunStore, run: StoredRun, request: CheckRequest) -> StoredRun | None:
    if request.against == "best":
        return best_other(store, run)
    return store.open(request.against, request.experiment)


def _alone(run: StoredRun, reference: StoredRun | None) -> Rule:
    """Return the rule of a run that has nothing to be worse than."""
    why = "is the reference itself"
    if reference is None:
        why = f"is the first finished run of {shown(run.experiment)} with a dev error"
    return Rule(name="not worse", outcome="holds", says=f"The run {why}: nothing to compare with.")


def _limit(limit: Limit, run: StoredRun, measuring: Measuring, settings: Settings) -> Rule:
    open_splits = [name for name in run.splits() if name != "test"]
    judged = {f"{name}/{ERROR}": name for name in open_splits}
    if limit.metric in judged:
        split = judged[limit.metric]
        errors = from_predictions(labelled.read(run, split, settings))
        return limit.judge(errors.rate, errors.interval)
    value = measuring.value(measure(limit.metric), run)
    if value.why == ABSENT:
        known = [*NAMES, *judged, *run.metrics]
        raise UsageError(
            f"run {run.run_id} has no metric {shown(limit.metric)!r}; "
            f"{did_you_mean(limit.metric, known)}"
        )
    return limit_rule(limit, value)
