"""All that pages read, and all caching: pages call this, this calls the library."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from dashboards import books, clock, fresh, names
from dashboards.fresh import Mark, stamp
from gapwise.diagnostics.compare import Comparison
from gapwise.diagnostics.matched import Matched, matched
from gapwise.diagnostics.parted import By, Parted, parted
from gapwise.diagnostics.relabelled import relabelled
from gapwise.diagnostics.steps import Ceiling
from gapwise.errors import DataError, GapwiseError, shown
from gapwise.figures.curves import Curve
from gapwise.ledger.ledger import Ledger
from gapwise.records import Diagnosis, Predictions
from gapwise.reports.page import page
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import CURVE_KIND
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import ceiling as ceilings
from gapwise.workflows import compare, diagnose
from gapwise.workflows.curve_store import Curves, all_latest
from gapwise.workflows.report_facts import facts_of


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What can be diagnosed: one run, or the seeds of one group together.

    Attributes:
        key: the group's name or the run's id; stands in the URL.
        name: what people read.
        run_ids: newest first.
    """

    key: str
    name: str
    run_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What stands beside a ladder."""

    quarantined: int
    network: str
    epochs: str
    when: str
    pipeline: Mapping[str, Any]


def runs(experiment: str | None = None) -> pd.DataFrame:
    """Return one row a run, newest first, of one experiment or of all."""
    rows = fresh.rows()
    return rows if experiment is None else rows[rows["experiment"] == experiment]


def experiments() -> list[str]:
    """Return the experiments that have runs, the one with the newest run first.

    Those of learning curves alone, which trained on parts of the data, come last.
    """
    rows = runs()
    ordered = [*rows.loc[rows["kind"] != CURVE_KIND, "experiment"], *rows["experiment"]]
    return [str(name) for name in dict.fromkeys(ordered)]


def subjects(experiment: str) -> list[Subject]:
    """Return what can be diagnosed in an experiment, newest first; seeds stand together first."""
    rows = runs(experiment)
    known = names.of_runs(rows[rows["status"] == "FINISHED"])
    groups = dict(zip(rows["run_id"].astype(str), rows["group"].astype(str), strict=True))
    members: dict[str, list[str]] = {}
    for run_id in known:
        if groups[run_id]:
            members.setdefault(groups[run_id], []).append(run_id)
    together = [
        Subject(key=group, name=names.of_group(known[ids[0]], len(ids)), run_ids=tuple(ids))
        for group, ids in members.items()
        if len(ids) > 1
    ]
    alone = [Subject(key=key, name=name, run_ids=(key,)) for key, name in known.items()]
    return [*together, *alone]


def run_names(experiment: str | None = None) -> dict[str, str]:
    """Return run id → name of an experiment's runs, newest first."""
    return names.of_runs(runs(experiment))


def comparable(mate: str | None = None) -> dict[str, str]:
    """Return run id → name of all finished runs, newest first; of the dataset of ``mate`` alone.

    Those that trained on a part of the data are left out.
    """
    rows = runs()
    rows = rows[rows["kind"] != CURVE_KIND]
    if mate:
        dataset = rows.loc[rows["run_id"] == mate, "dataset"]
        rows = rows[rows["dataset"].isin(dataset) & (rows["run_id"] != mate)]
    return names.of_runs(rows[rows["status"] == "FINISHED"])


def newest_of(key: str | None) -> str | None:
    """Return the newest run of a group, or ``key`` itself where it is a run's id."""
    rows = runs()
    members = rows[rows["group"] == key] if key else rows[:0]
    return str(members["run_id"].iloc[0]) if len(members) else key


def open_splits(found: StoredRun) -> list[str]:
    """Return the splits with predictions, dev first; test only after it was asked for."""
    asked = any(found.run_id in made.extra["run_ids"] for made in tests_seen().values())
    splits = [split for split in found.splits() if split != "test" or asked]
    return sorted(splits, key=lambda split: split != "dev")


def tests_seen() -> dict[str, Diagnosis]:
    """Return the diagnoses with the test set that were asked for in this session, by subject."""
    seen: dict[str, Diagnosis] = st.session_state.setdefault("test", {})
    return seen


def error_curves(found: StoredRun) -> dict[str, Curve]:
    """Return the error by epoch of train and dev, where they were noted."""
    lines: dict[str, Curve] = {}
    for split in ("train", "dev"):
        for name in (f"{split}_error", f"{split}/error"):
            steps, values, _ = found.history(name)
            epochs = steps > 0
            if epochs.any() and split not in lines:
                lines[split] = Curve(
                    steps=steps[epochs].tolist(), values=values[epochs].tolist(), split=split
                )
    return lines


def files(found: StoredRun) -> dict[str, Path]:
    """Return what can be downloaded: predictions of the open splits, and the pipeline."""
    known: dict[str, Path] = {}
    for split in open_splits(found):
        path = found.predictions_path(split)
        if path is not None:
            known[f"{split}.parquet"] = path
    with suppress(GapwiseError):
        known["pipeline.yaml"] = found.artifact("pipeline.yaml")
    return known


def facts(subject: Subject) -> Facts:
    """Return what stands beside a ladder."""
    newest = run(subject.run_ids[0])
    pipeline = newest.pipeline() or {}
    quarantined = newest.tags.get("gapwise.quarantined", "0")
    epochs = pipeline.get("training", {}).get("epochs")
    return Facts(
        quarantined=int(quarantined) if quarantined.isdigit() else 0,
        network=_network(newest, pipeline),
        epochs=f"{epochs} epochs" if epochs else "",
        when=clock.when(newest),
        pipeline=pipeline,
    )


def _network(found: StoredRun, pipeline: Mapping[str, Any]) -> str:
    if found.members:
        return f"{found.kind} of {len(found.members)}"
    return str(pipeline.get("network", {}).get("name", "made elsewhere"))


def matched_table(subject: Subject) -> Matched:
    """Return the notes' 2×3 table of 4.14, with the test set where it was asked for."""
    return _matched(subject.run_ids, subject.key in tests_seen(), stamp())


def parted_ladder(subject: Subject, by: By) -> tuple[Parted, ...]:
    """Return the ladder of every class or source, with the test set where it was asked for."""
    return _parted(subject.run_ids, by, subject.key in tests_seen(), stamp())


def run(ref: str) -> StoredRun:
    """Return a run.

    Raises:
        DataError: it is not there (any more).
    """
    return fresh.store().open(ref)


def dataset_of(run_id: str) -> str:
    """Return the name of a run's dataset, which no run ever changes."""
    return _dataset(run_id, Settings.read())


def diagnosis(subject: Subject) -> Diagnosis:
    """Return the diagnosis without the test set."""
    return _diagnosis(subject.run_ids, stamp(tags=True))


def look_at_test(subject: Subject) -> Diagnosis:
    """Return the diagnosis with the test set; the ledger counts this look."""
    return diagnose.diagnose_runs(subject.run_ids, test=True)


def predictions(run_id: str, split: str) -> Predictions:
    """Return the stored predictions of a split, under the labels as they stand.

    Raises:
        DataError: the run has none.
    """
    found = run(run_id)
    path = found.predictions_path(split)
    if path is None:
        raise DataError(f"run {shown(run_id)} has no predictions of {split}")
    labels = books.of_dataset(found.dataset).labels
    mark = (str(path), path.stat().st_mtime_ns, labels.revision)
    return _predictions(mark, split, labels.labels())


def comparison(a: str, b: str, split: str) -> Comparison:
    """Return how two runs differ on a split."""
    return _comparison(a, b, split, stamp(tags=True))


def ceiling(system: str, perfect: tuple[str, ...]) -> Ceiling:
    """Return what the steps of a system can gain on dev; ``perfect`` holds ``STEP=RUN``."""
    return _ceiling(system, perfect, stamp())


def report(run_id: str) -> bytes:
    """Return a run's report as HTML, for a download; nothing of the test set is in it."""
    return page(facts_of(run_id, Settings.read())).encode()


def learning_curves() -> dict[str, Curves]:
    """Return pipeline → its last learning curve, the newest first."""
    return {curves.pipeline: curves for curves in all_latest(Settings.read())}


def file_bytes(path: Path) -> bytes:
    """Return a file for a download."""
    return path.read_bytes()


@cache
def _dataset(run_id: str, settings: Settings) -> str:
    return run(run_id).dataset


@st.cache_data(show_spinner=False, max_entries=64)
def _matched(run_ids: Sequence[str], test: bool, at: Mark) -> Matched:
    settings = Settings.read()
    found = [run(run_id) for run_id in run_ids]
    return matched(diagnose.gather(found, Ledger(settings.ledger_url)), test=test)


@st.cache_data(show_spinner=False, max_entries=64)
def _parted(run_ids: Sequence[str], by: By, test: bool, at: Mark) -> tuple[Parted, ...]:
    found = [run(run_id) for run_id in run_ids]
    return parted(diagnose.gather(found, Ledger(Settings.read().ledger_url)), by, test=test)


@st.cache_data(show_spinner=False, max_entries=64)
def _diagnosis(run_ids: Sequence[str], at: Mark) -> Diagnosis:
    return diagnose.diagnose_found(diagnose.find_runs(fresh.store(), run_ids))


@st.cache_resource(show_spinner=False, max_entries=24)
def _predictions(mark: tuple[str, int, int], split: str, _labels: Mapping[str, str]) -> Predictions:
    # Shared, not copied for every key press: nobody changes it.
    return relabelled(tables.read(Path(mark[0]), split=split), _labels)


@st.cache_data(show_spinner=False, max_entries=32)
def _comparison(a: str, b: str, split: str, at: Mark) -> Comparison:
    return compare.compare_runs(a, b, split)


@st.cache_data(show_spinner=False, max_entries=16)
def _ceiling(system: str, perfect: tuple[str, ...], at: Mark) -> Ceiling:
    return ceilings.ceiling(ceilings.CeilingRequest(source=system, perfect=perfect))
