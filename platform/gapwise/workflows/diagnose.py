"""Diagnose stored runs: gather what is known of them, then ask ``diagnostics``."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gapwise.diagnostics import evidence as stored
from gapwise.diagnostics import ladder, parted
from gapwise.diagnostics.beside import beside
from gapwise.diagnostics.evidence import Evidence, FieldError
from gapwise.diagnostics.knob_changes import knobs_changed
from gapwise.errors import DataError, UsageError, shown
from gapwise.ledger import field, human, looks
from gapwise.ledger import labels as label_log
from gapwise.ledger.ledger import Ledger
from gapwise.records import Diagnosis, HumanLevel
from gapwise.settings import Settings
from gapwise.tracking.store import CURVE_KIND, RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import curve_store, error_table, quiz
from gapwise.workflows.author import author
from gapwise.workflows.labelled import check_revision

KNOBS_TOLD = 5


def diagnose_runs(
    refs: Sequence[str],
    *,
    test: bool = False,
    experiment: str | None = None,
    by: str | None = None,
    labels: int | None = None,
    settings: Settings | None = None,
) -> Diagnosis:
    """Diagnose the runs that ``refs`` name, together when they are several.

    A single ``latest`` that belongs to a group of seeds brings its whole group. With ``test`` the
    test rung is shown, and the look is counted in the ledger first. With ``by`` the ladders of
    every class or source stand beside it. Labels are those of a revision of the ledger, ``labels``,
    by default the newest; 0 is how the data came.

    Raises:
        UsageError: ``by`` is neither ``class`` nor ``source``, or there is no such revision.
        DataError: a run is unknown, has no predictions, or the runs do not belong together.
    """
    settings = settings or Settings.read()
    if by not in (None, "class", "source"):
        raise UsageError(f"--by {shown(by)!r}: write class or source")
    runs = find_runs(RunStore(settings), refs, experiment)
    return diagnose_found(runs, test=test, by=by, labels=labels, settings=settings)


def diagnose_found(
    runs: Sequence[StoredRun],
    *,
    test: bool = False,
    by: str | None = None,
    labels: int | None = None,
    settings: Settings | None = None,
) -> Diagnosis:
    """Diagnose what ``find_runs`` found, as ``diagnose_runs`` does.

    Raises:
        UsageError, DataError: as there.
    """
    settings = settings or Settings.read()
    ledger = Ledger(settings.ledger_url)
    check_revision(ledger, labels)
    if test:
        looks.look(ledger, [run.run_id for run in runs], dataset=runs[0].dataset, author=author())
    evidence, delta = evidence_of(runs, settings, labels), _delta(runs[0])
    diagnosis = ladder.diagnose(evidence, test=test, delta=delta)
    added = beside(_paths(runs), evidence, test=test, delta=delta)
    if by is not None:
        added["by"] = {by: parted.rows(parted.parted(evidence, by, test=test))}  # type: ignore[arg-type]
    return replace(diagnosis, extra={**diagnosis.extra, **added})


def evidence_of(
    runs: Sequence[StoredRun], settings: Settings, labels: int | None = None
) -> Evidence:
    """Return what is stored of ``runs``, and what the last learning curve says of their pipeline.

    Raises:
        DataError: a run has no predictions (it was stopped before its end, say).
    """
    evidence = gather(runs, Ledger(settings.ledger_url), labels)
    table = error_table.of_run(runs[0], settings, labels)
    return replace(evidence, more_data=_more_data(runs[0], settings), error_table=table)


def find_runs(
    store: RunStore, refs: Sequence[str], experiment: str | None = None
) -> list[StoredRun]:
    """Return the runs that ``refs`` name, each once.

    Raises:
        UsageError: a run is unknown.
        DataError: the runs are of different datasets, or not seeds of one pipeline.
    """
    found = {run.run_id: run for run in (store.open(ref, experiment) for ref in refs)}
    runs = list(found.values())
    if list(refs) == ["latest"] and runs[0].group:
        runs = group_of(store, runs[0])
    datasets = sorted({run.dataset for run in runs})
    if len(datasets) > 1:
        raise DataError(
            f"the runs are of different datasets ({', '.join(datasets)}) and have no common "
            "ladder; diagnose them one by one"
        )
    for run in runs[1:]:
        _check_seeds_of_one(runs[0], run)
    return runs


def _check_seeds_of_one(first: StoredRun, other: StoredRun) -> None:
    """Refuse to average runs that differ in more than their seed.

    Runs made elsewhere state no pipeline: those of one experiment count as seeds.
    """
    pipelines = first.pipeline(), other.pipeline()
    if (pipelines[0] is None) != (pipelines[1] is None):
        bare = first if pipelines[0] is None else other
        raise DataError(
            f"run {bare.run_id} has no pipeline and the other has one, so they are not seeds of "
            "one training; diagnose them one by one, or see `gapwise compare`"
        )
    if pipelines[0] is None and first.experiment != other.experiment:
        raise DataError(
            f"the runs are of different experiments ({first.experiment}, {other.experiment}) and "
            "state no pipeline that they would be seeds of; diagnose them one by one"
        )
    changed = {k: pair for k, pair in knobs_changed(*pipelines).items() if k != "seed"}
    if changed:
        told = [f"{key}: {shown(a)} and {shown(b)}" for key, (a, b) in changed.items()]
        more = ", …" if len(told) > KNOBS_TOLD else ""
        raise DataError(
            f"runs {first.run_id} and {other.run_id} are not seeds of one pipeline: they differ in "
            f"{', '.join(told[:KNOBS_TOLD])}{more}; diagnose them one by one, or see "
            "`gapwise compare`"
        )


def group_of(store: RunStore, run: StoredRun) -> list[StoredRun]:
    """Return the runs of one group that have predictions, ``run`` among them, oldest first."""
    rows = store.rows(run.experiment)
    members = rows[rows["group"] == run.group].sort_values("started")["run_id"]
    runs = [store.open(member) for member in members]
    return [member for member in runs if member.splits()] or [run]


def gather(runs: Sequence[StoredRun], ledger: Ledger, labels: int | None = None) -> Evidence:
    """Return what is stored of ``runs``: predictions, human levels, looks and notes.

    ``labels`` is the revision of the labels, by default the newest.

    Raises:
        DataError: a run has no predictions (it was stopped before its end, say).
    """
    for run in runs:
        if not run.splits():
            mend = (
                f"finish it with `gapwise resume {run.run_id}`"
                if run.kind in ("train", CURVE_KIND)
                else "record it anew with them: `gapwise record FILE`, or `run.predictions(…)` "
                "in your own loop"
            )
            raise DataError(
                f"run {run.run_id} ({run.name}, {run.status}) has no predictions to diagnose; "
                f"{mend}"
            )
    first = runs[0]
    return stored.read(
        run_ids=tuple(run.run_id for run in runs),
        paths=_paths(runs),
        relabels=label_log.book(ledger, first.dataset, labels).labels(),
        human=_human(first, ledger, labels),
        pipeline=first.pipeline() or {},
        label_revision=ledger.revision() if labels is None else labels,
        looks=looks.count(ledger, first.dataset),
        quarantined=int(first.tags.get("gapwise.quarantined", 0)),
        notes=tuple(filter(None, first.tags.get("gapwise.notes", "").split("\n"))),
        input_shape=tuple(json.loads(first.tags.get("gapwise.input_shape", "[]"))),
        same_distribution=first.tags.get("gapwise.same_distribution") == "true",
        in_use=_in_use(ledger, first),
        train_errors=tuple(first.history("train_error")[1].tolist())
        if "train_error" in first.metrics
        else (),
    )


def _in_use(ledger: Ledger, run: StoredRun) -> FieldError | None:
    found = field.latest(ledger, run.dataset, run.run_id)
    if found is None:
        return None
    return FieldError(error=found["error"], n=found["n"], source=found["source"])


def _paths(runs: Sequence[StoredRun]) -> dict[str, list[Path]]:
    """Return the files of each split that every run has."""
    shared = [s for s in runs[0].splits() if all(s in run.splits() for run in runs)]
    return {
        split: [run.artifact(f"predictions/{split}.parquet") for run in runs] for split in shared
    }


def _human(run: StoredRun, ledger: Ledger, revision: int | None) -> tuple[HumanLevel, ...]:
    """Return the levels that the pipeline states, those of the ledger, and those of the quiz."""
    pipeline = run.pipeline() or {}
    stated = [HumanLevel(**level) for level in pipeline.get("human", ())]
    asked = quiz.results(ledger, run.dataset, revision).levels()
    return (*stated, *human.levels(ledger, run.dataset, revision), *asked)


def _more_data(run: StoredRun, settings: Settings) -> float | None:
    """Return what twice the data gains at most by the last curve of the run's pipeline."""
    name = (run.pipeline() or {}).get("name")
    curves = curve_store.latest(settings, str(name)) if name else None
    return curves.at_most if curves and curves.dataset == run.dataset else None


def _delta(run: StoredRun) -> float:
    pipeline = run.pipeline() or {}
    return float(pipeline.get("diagnosis", {}).get("delta", 0.01))
