"""The parts of *Run*: status, curves, confusion, errors by class and source, pictures, files."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboards import breakdown, carry, clock, data, widgets
from dashboards.gallery import gallery
from dashboards.text import safe, said
from gapwise.figures import palette, words
from gapwise.figures.confusion import confusion
from gapwise.figures.curves import curves
from gapwise.figures.intervals import Estimate, intervals
from gapwise.records import Predictions
from gapwise.tracking.stored import StoredRun

MOST_PICTURES = 40
MOST_CLASSES = 24
TONES = {"FINISHED": "green", "RUNNING": "blue", "FAILED": "red", "KILLED": "orange"}


def chosen_run() -> StoredRun | None:
    """Let people choose experiment, run and split; None, with help, where there is nothing."""
    experiments = data.experiments()
    if not experiments:
        widgets.empty("No runs yet", "Train a pipeline; its run then stands here.", widgets.TRAIN)
        return None
    with widgets.chips("run"):
        carry.choose(
            "experiment", experiments, lambda n: f"Experiment  {n}", forgets=("run", "other")
        )
        names = data.run_names(carry.get("experiment") or experiments[0])
        wanted = data.newest_of(carry.get("run"))
        if wanted and wanted not in names:
            st.warning(f"Run {safe(wanted)} is not there any more; this is the newest one.")
            wanted = None
        carry.put(run=wanted or next(iter(names)))
        key = carry.choose("run", list(names), lambda key: f"Run  {names[key]}", width=330)
        run = data.run(key)
        splits = data.open_splits(run)
        if splits:
            carry.choose("split", splits, lambda s: f"Split  {words.of_rung(s)}", width=170)
    return run


def head(run: StoredRun) -> None:
    """The run's name, status and facts."""
    tone = TONES.get(run.status, "gray")
    facts = [f"seed {run.seed}" if run.seed is not None else "", clock.when(run), clock.took(run)]
    facts = [safe(run.dataset), *filter(None, facts), f"id {safe(run.run_id[:12])}"]
    with st.container(key="head", gap=None):
        st.markdown(f"# {safe(run.name)} :{tone}-badge[{run.status.lower()}]")
        st.markdown(f":gray[{' · '.join(facts)}]")
    if run.status in ("KILLED", "FAILED"):
        st.info(f"This run stopped before its end. Go on with `gapwise resume {safe(run.run_id)}`.")


def predictions(run: StoredRun) -> Predictions | None:
    """Return the predictions of the chosen split, None while there are none."""
    splits = data.open_splits(run)
    split = carry.get("split")
    if not splits:
        return None
    return data.predictions(run.run_id, split if split in splits else splits[0])


def curves_and_confusion(run: StoredRun, table: Predictions | None) -> None:
    """How training went, and what is taken for what."""
    left, right = st.columns(2, gap="small")
    lines = data.error_curves(run)
    with left, widgets.card("curves", "Error by epoch", fill=True):
        if lines:
            figure = curves(lines, y="error", as_percent=True, best=run.metrics.get("best_epoch"))
            widgets.chart(figure, "curves")
        else:
            st.caption("No epoch has ended yet, or the predictions were made elsewhere.")
    with right, widgets.card("confusion", "Label → prediction", _split_note(table), fill=True):
        counts = breakdown.confusion(table) if table else None
        if counts is None or table is None:
            st.caption("Predictions are written when a run finishes.")
        elif len(table.classes) > MOST_CLASSES:
            st.caption(
                f"{len(table.classes)} classes are too many to draw; see the errors by class."
            )
        else:
            widgets.chart(confusion(counts, table.classes), "confusion")


def errors(run: StoredRun, table: Predictions) -> None:
    """Errors by class and by source, each with interval and n; precision, recall and F1."""
    whole = breakdown.overall(table)
    sources = breakdown.by_source(table)
    left, right = st.columns([1.25, 1], gap="small")
    with left, widgets.card("classes", "Error by class", _overall_note(whole), fill=True):
        classes = breakdown.by_class(table)[:MOST_CLASSES]
        if classes:
            _estimates(classes, whole, "classes")
        else:
            st.caption("This task has no classes.")
    with right, widgets.card("quality", "Precision, recall, F1", "the lowest F1 first", fill=True):
        _quality(table)
    if sources:
        with widgets.card("sources", "Error by source", "95 % intervals"):
            _estimates(sources, whole, "sources")


def worst(run: StoredRun, table: Predictions) -> None:
    """Pictures of the wrong examples, the one with the greatest loss first."""
    examples = breakdown.worst(table, MOST_PICTURES)
    wrong = int((table.error > 0).sum())
    note = f"{words.count(wrong, 'error')} in {len(table):,} examples, the greatest loss first"
    with widgets.card("worst", "Worst examples", note):
        if examples:
            gallery(run.run_id, examples, "worst")
        else:
            st.caption(f"No error among {len(table):,} examples.")


def parameters_and_files(run: StoredRun) -> None:
    """What was set, and what can be taken away."""
    left, right = st.columns([1.6, 1], gap="small")
    with left, widgets.card("parameters", "Parameters", fill=True):
        rows = {
            "parameter": list(run.parameters),
            "value": [str(v) for v in run.parameters.values()],
        }
        if run.parameters:
            st.dataframe(rows, hide_index=True, height=320, key="parameters")
        else:
            st.caption("None were noted.")
    with right, widgets.card("files", "Downloads", fill=True):
        files = data.files(run)
        for name, path in files.items():
            st.download_button(
                safe(name), partial(data.file_bytes, path), file_name=name,
                key=f"get-{name}", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
        if not files:
            st.caption("None yet.")
        for note in filter(None, run.tags.get("gapwise.notes", "").split("\n")):
            st.caption(said(note))


def _estimates(rows: Sequence[Estimate], whole: Estimate, key: str) -> None:
    color = palette.SPLITS.get(whole.label, palette.RED)
    widgets.chart(intervals(rows, overall=whole.error, color=color), key)


def _quality(table: Predictions) -> None:
    rows = [
        {
            "class": one.name,
            "precision": _share(one.precision),
            "recall": _share(one.recall),
            "F1": _share(one.f1),
        }
        for one in breakdown.quality(table)[:MOST_CLASSES]
    ]
    if rows:
        widgets.table(rows, numbers="quality")
        st.caption("–: not defined, since no example is of that class or said to be.")


def _share(value: float | None) -> str:
    return "–" if value is None else words.percent(value)


def _split_note(table: Predictions | None) -> str:
    return f"{words.of_rung(table.split)}, {len(table):,} examples" if table else ""


def _overall_note(whole: Estimate) -> str:
    shown = widgets.plotted(whole.error, whole.low, whole.high)
    return f"{words.of_rung(whole.label)} {shown}, n = {whole.n:,}"
