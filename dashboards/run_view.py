"""The parts of *Run*: status, curves, worst examples, files; the rest is in ``error_cards``."""

from functools import partial

import streamlit as st

from dashboards import (
    breakdown,
    carry,
    clock,
    data,
    error_cards,
    example_data,
    experiment,
    navigation,
    widgets,
)
from dashboards.gallery import gallery
from dashboards.text import safe, said
from gapwise.figures import words
from gapwise.figures.curves import curves
from gapwise.records import Predictions
from gapwise.tracking.stored import StoredRun

MOST_PICTURES = 40
TONES = {"FINISHED": "green", "RUNNING": "blue", "FAILED": "red", "KILLED": "orange"}


def chosen_run() -> StoredRun | None:
    """Let people choose experiment, run and split; None, with help, where there is nothing."""
    experiments = data.experiments()
    if not experiments:
        widgets.empty("No runs yet", "Train a pipeline; its run then stands here.", widgets.TRAIN)
        return None
    with widgets.chips("run"):
        names = data.run_names(experiment.choose(experiments))
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
    with st.container(key="head", horizontal=True, vertical_alignment="bottom"):
        title = f"# {safe(run.name)} :{tone}-badge[{run.status.lower()}]"
        st.markdown(f"{title}\n\n:gray[{' · '.join(facts)}]", width="stretch")
        if run.kind == "train" and run.status == "FINISHED":
            _look_inside(run)
    if run.status in ("KILLED", "FAILED"):
        st.info(f"This run stopped before its end. Go on with `gapwise resume {safe(run.run_id)}`.")


def _look_inside(run: StoredRun) -> None:
    label = "Look inside the network"
    if st.button(label, key="look-inside", icon=":material/neurology:", width="content"):
        fresh = dict.fromkeys(("network", "layer", "unit", "example"))
        navigation.go("Networks", experiment=run.experiment, run=run.run_id, **fresh)


def predictions(run: StoredRun) -> Predictions | None:
    """Return the predictions of the chosen split, None while there are none."""
    splits = data.open_splits(run)
    split = carry.get("split")
    if not splits:
        return None
    return data.predictions(run.run_id, split if split in splits else splits[0])


def curves_and_answers(run: StoredRun, table: Predictions | None) -> None:
    """How training went, and what the network says against what is true."""
    left, right = st.columns(2, gap="small")
    lines = data.error_curves(run)
    with left, widgets.card("curves", "Error by epoch", fill=True):
        if lines:
            figure = curves(lines, y="error", as_percent=True, best=run.metrics.get("best_epoch"))
            widgets.chart(figure, "curves")
        else:
            st.caption("No epoch has ended yet, or the predictions were made elsewhere.")
    with right:
        error_cards.answers(table)


def worst(run: StoredRun, table: Predictions) -> None:
    """The wrong examples, the worst first: pictures, or rows with what the network was given."""
    examples = breakdown.worst(table, MOST_PICTURES)
    with widgets.card("worst", "Worst examples", _worst_note(table)):
        if not examples:
            st.caption(f"No error among {len(table):,} examples.")
        elif example_data.has_pictures(run.run_id):
            gallery(run.run_id, examples, "worst")
        else:
            inputs = example_data.inputs(run.run_id, [one.example_id for one in examples])
            rows = breakdown.as_rows(table, examples, inputs)
            st.dataframe(rows, hide_index=True, height=390, key="worst-rows")


def _worst_note(table: Predictions) -> str:
    wrong = int((table.error > 0).sum())
    if ((table.error > 0) & (table.error < 1)).any():
        return f"{len(table):,} examples, the greatest error first"
    return f"{words.count(wrong, 'error')} in {len(table):,} examples, the greatest loss first"


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
        if data.open_splits(run):
            st.download_button(
                "Report to mail (HTML)", partial(data.report, run.run_id),
                file_name=f"{run.run_id[:12]}.html", key="get-report", on_click="ignore",
                icon=":material/description:", type="primary",
            )  # fmt: skip
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
