"""`gapwise select`: the best run of an experiment that keeps every limit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gapwise.diagnostics.gate import Limit
from gapwise.diagnostics.measures import Measure, measure, to_optimize, unknown
from gapwise.diagnostics.selection import Candidate, Selection, select
from gapwise.diagnostics.weighing import Weighing
from gapwise.errors import UsageError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows.costs import CostRequest, check_costs
from gapwise.workflows.finished import finished
from gapwise.workflows.looking import count_looks
from gapwise.workflows.measuring import ABSENT, Measuring, usable_cores
from gapwise.workflows.split_names import split_named


@dataclass(frozen=True, kw_only=True)
class SelectRequest:
    """What ``gapwise select`` was asked for.

    Attributes:
        experiment: whose runs are the candidates; None: that of the latest run.
        optimize: the metric to optimize; ``min:`` or ``max:`` before it where its name does not
            tell.
        limits: ``METRIC<=NUMBER``, one a limit.
        split: what metrics of predictions are of; a look at test is counted.
        weigh: the weights of ``weighted_error``.
        costs: how latency and memory are measured.
    """

    experiment: str | None = None
    optimize: str = "error"
    limits: Sequence[str] = ()
    split: str = "dev"
    weigh: Sequence[str] = ()
    costs: CostRequest = field(default_factory=lambda: CostRequest(threads=usable_cores()))


def select_run(request: SelectRequest, settings: Settings | None = None) -> Selection:
    """Judge the finished runs of an experiment and take the best that keeps every limit.

    Runs that a learning curve trained on parts of the data are no candidates, nor are those whose
    predictions are of other examples than those of most.

    Raises:
        UsageError: no run, an unknown metric or split, a limit or a weight that cannot be read.
        DataError: a metric that does not fit the task, a class or a column that is not there.
    """
    settings = settings or Settings.read()
    optimize = to_optimize(request.optimize)
    limits = tuple(Limit.parse(text) for text in request.limits)
    measures = {one.name: one for one in (optimize, *(measure(limit.metric) for limit in limits))}
    measuring = Measuring(
        split=_checked(request, measures.values()),
        weighings=tuple(Weighing.parse(text) for text in request.weigh),
        costs=request.costs,
        settings=settings,
    )
    experiment, runs = finished(RunStore(settings), request.experiment)
    if measuring.split == "test" and any(one.is_fraction for one in measures.values()):
        count_looks(runs, settings)
    measuring.read(runs, measures.values())
    kept, left_out = measuring.comparable(runs, optimize)
    for one in measures.values():
        if all(measuring.value(one, run).why == ABSENT for run in kept):
            raise unknown(one, sorted({name for run in kept for name in run.metrics}), experiment)
    candidates = [
        Candidate(
            run_id=run.run_id,
            name=run.name,
            values={name: measuring.value(one, run) for name, one in measures.items()},
        )
        for run in kept
    ]
    paired = measuring.paired(optimize, kept)
    found = select(optimize, limits, candidates, paired)
    extra = {
        "experiment": experiment,
        "split": measuring.split,
        "weigh": [str(one) for one in measuring.weighings],
        "left_out": left_out,
        "measured": measuring.told,
        "wear": measuring.wear(kept) if optimize.is_fraction else None,
    }
    return Selection(**{**vars(found), "extra": extra})


def _checked(request: SelectRequest, measures: Iterable[Measure]) -> str:
    split = split_named(request.split)
    weighted = [one for one in measures if one.base == "weighted_error"]
    if weighted and not request.weigh:
        raise UsageError(
            "weighted_error needs weights: --weigh 'TRUE->PREDICTED=10' or --weigh "
            "'COLUMN:VALUE=10'"
        )
    if request.weigh and not weighted:
        raise UsageError(
            "--weigh is of weighted_error, which is neither optimized nor limited; leave it out"
        )
    check_costs(request.costs)
    return split
