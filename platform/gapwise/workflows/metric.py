"""`gapwise prefer` and `gapwise metric`: what people prefer, and whether a metric sees it too."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gapwise.diagnostics.measured import Value
from gapwise.diagnostics.measures import to_optimize, unknown
from gapwise.diagnostics.metric_check import MetricCheck, advice, metric_check
from gapwise.diagnostics.weighing import Weighing
from gapwise.errors import DataError, UsageError, shown
from gapwise.ledger import preferences
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.preferences import Preference
from gapwise.records import plain
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows.author import author
from gapwise.workflows.finished import finished
from gapwise.workflows.measuring import ABSENT, Measuring

IN_USE = "error"


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """What ``metric --json`` says.

    Attributes:
        experiment, split: what was ranked.
        checks: the metric in use, then the new one where one was named.
        names: run id → name.
        values: metric → run id → value.
        left_out: runs whose examples are others, with the reason.
        wear: how worn the split is.
        says: what to do.
    """

    experiment: str
    split: str
    checks: tuple[MetricCheck, ...]
    names: dict[str, str]
    values: dict[str, dict[str, Value]]
    left_out: list[dict[str, str]]
    wear: dict[str, Any] | None
    says: str

    def as_json(self) -> dict[str, Any]:
        """Return the document: metrics with their pairs, and the ranking under each."""
        last, first = self.checks[-1], self.checks[0]
        document: dict[str, Any] = plain(
            {
                "experiment": self.experiment,
                "split": self.split,
                "metrics": [
                    {
                        "metric": check.metric,
                        "agrees": check.count("agrees"),
                        "contradicts": check.count("contradicts"),
                        "undecided": check.count("undecided"),
                        "says": check.says,
                        "pairs": [asdict(pair) for pair in check.pairs],
                    }
                    for check in self.checks
                ],
                "ranking": [
                    {
                        "run_id": run,
                        "name": self.names[run],
                        "rank": place,
                        "before": first.ranking.index(run) + 1,
                        **_ends(self.values[last.metric][run]),
                    }
                    for place, run in enumerate(last.ranking, start=1)
                ],
                "left_out": self.left_out,
                "wear": self.wear,
                "says": self.says,
            }
        )
        return document


def check_metric(
    experiment: str | None = None,
    optimize: str | None = None,
    weigh: Sequence[str] = (),
    *,
    split: str = "dev",
    settings: Settings | None = None,
) -> Metrics:
    """Rank all finished runs by the error and by another metric, and hold both against people.

    No network runs: predictions are read again.

    Args:
        experiment: whose runs; None: that of the latest run.
        optimize: the other metric; by default ``weighted_error`` where ``weigh`` is given.
        weigh: ``TRUE->PREDICTED=10`` or ``COLUMN:VALUE=10``, the weights of ``weighted_error``.
        split: dev, train_dev or train; test is none to choose metrics by.
        settings: where runs are.

    Raises:
        UsageError: no run, an unknown metric or split, or weights that nothing uses.
        DataError: a metric that does not fit the task, a class or a column that is not there.
    """
    settings = settings or Settings.read()
    split = split.replace("-", "_")
    if split not in ("dev", "train_dev", "train"):
        raise UsageError(
            f"--split {shown(split)!r}: metrics are chosen on dev (train_dev, train), never on test"
        )
    wanted = optimize or ("weighted_error" if weigh else IN_USE)
    measures = {one.name: one for one in (to_optimize(IN_USE), to_optimize(wanted))}
    if weigh and all(one.base != "weighted_error" for one in measures.values()):
        raise UsageError("--weigh is of weighted_error; leave --optimize out, or name that")
    if not weigh and any(one.base == "weighted_error" for one in measures.values()):
        raise UsageError("weighted_error needs weights: --weigh 'TRUE->PREDICTED=10'")
    measuring = Measuring(
        split=split, settings=settings, weighings=[Weighing.parse(text) for text in weigh]
    )
    name, runs = finished(RunStore(settings), experiment)
    measuring.read(runs, measures.values())
    kept, left_out = measuring.comparable(runs, measures[IN_USE])
    ledger = Ledger(settings.ledger_url)
    pairs = _pairs(ledger, kept)
    values = {one: {run.run_id: measuring.value(found, run) for run in kept}
              for one, found in measures.items()}  # fmt: skip
    for one, found in measures.items():
        if all(value.why == ABSENT for value in values[one].values()):
            raise unknown(found, sorted({key for run in kept for key in run.metrics}), name)
    checks = tuple(
        metric_check(found, values[one], pairs, measuring.paired(found, kept))
        for one, found in measures.items()
    )
    return Metrics(
        experiment=name,
        split=split,
        checks=checks,
        names={run.run_id: run.name for run in kept},
        values=values,
        left_out=left_out,
        wear=measuring.wear(kept),
        says=advice(checks[0], checks[1] if len(checks) > 1 else None),
    )


def prefer(
    better: str,
    worse: str,
    why: str = "",
    *,
    withdraw: bool = False,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Note in the ledger that people find one run better than another, or no longer do.

    Raises:
        UsageError: a run is unknown, or both are one.
        DataError: they are of different datasets.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    first, second = store.open(better), store.open(worse)
    if first.run_id == second.run_id:
        raise UsageError(f"{shown(better)} and {shown(worse)} are one run; name two")
    if first.dataset != second.dataset:
        raise DataError(
            f"the runs are of different datasets ({shown(first.dataset)}, "
            f"{shown(second.dataset)}), so neither is better at the other's; name two of one"
        )
    preference = Preference(better=first.run_id, worse=second.run_id, why=why, author=author())
    note = preferences.withdraw if withdraw else preferences.prefer
    event = note(Ledger(settings.ledger_url), preference, dataset=first.dataset)
    return {
        "better": first.run_id,
        "worse": second.run_id,
        "names": [first.name, second.name],
        "why": why,
        "withdrawn": withdraw,
        "revision": event.seq,
    }


def _pairs(ledger: Ledger, runs: Sequence[StoredRun]) -> list[tuple[str, str]]:
    ids = {run.run_id for run in runs}
    found = [p for dataset in sorted({r.dataset for r in runs})
             for p in preferences.stated(ledger, dataset)]  # fmt: skip
    return [(p.better, p.worse) for p in found if p.better in ids and p.worse in ids]


def _ends(value: Value) -> dict[str, Any]:
    return {
        "value": value.value,
        "low": value.interval.low if value.interval else None,
        "high": value.interval.high if value.interval else None,
        "why": value.why,
    }
