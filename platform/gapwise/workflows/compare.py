"""Compare two stored runs on the examples that both predicted."""

from collections.abc import Mapping, Sequence
from typing import Any

from gapwise.diagnostics.compare import Comparison, compare
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.tags import book
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import labelled
from gapwise.workflows.looking import count_looks
from gapwise.workflows.split_names import split_named


def compare_runs(
    a: str,
    b: str,
    split: str = "dev",
    experiment: str | None = None,
    settings: Settings | None = None,
    *,
    labels: int | None = None,
) -> Comparison:
    """Compare the runs ``a`` and ``b`` on one split; a look at ``test`` is counted first.

    Labels are those of a revision of the ledger, ``labels``, by default the newest.

    Raises:
        UsageError: there is no such split or revision.
        DataError: a run is unknown or has no such predictions, or nothing can be compared.
    """
    split = split_named(split)
    settings = settings or Settings.read()
    store = RunStore(settings)
    runs = [store.open(ref, experiment) for ref in (a, b)]
    for run in runs:
        run.needed_predictions(split)
    if split == "test":
        count_looks(runs, settings)
    first, second = (labelled.read(run, split, settings, revision=labels) for run in runs)
    ours, theirs = _pipelines(runs)
    tags = book(Ledger(settings.ledger_url), runs[0].dataset).tags
    return compare(first, second, pipelines=(ours, theirs), tags=tags)


def _pipelines(runs: Sequence[StoredRun]) -> tuple[Mapping[str, Any] | None, ...]:
    """Return both pipelines; where their tasks differ, with the options that went without saying.

    What an example's error is may be one of those (``task.error``).
    """
    pipelines = tuple(run.pipeline() for run in runs)
    tasks = [(pipeline or {}).get("task") for pipeline in pipelines]
    if None in tasks or tasks[0] == tasks[1]:
        return pipelines
    # Tasks need torch, which a comparison otherwise does without.
    from gapwise.tasks.base import TASKS

    def whole(task: Any) -> dict[str, Any]:
        options = TASKS.options(task["name"]) if task["name"] in TASKS.names() else {}
        return {name: option.default for name, option in options.items()} | dict(task)

    return tuple({**(p or {}), "task": whole(t)} for p, t in zip(pipelines, tasks, strict=True))
