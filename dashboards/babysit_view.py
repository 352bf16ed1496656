"""Babysit one model on the page *Launch*: its curve, its knobs between two pauses."""

import streamlit as st

from dashboards import carry, data, frame, widgets
from gapwise.errors import GapwiseError
from gapwise.figures.curves import Curve, curves
from gapwise.pipeline import Pipeline
from gapwise.settings import Settings
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import babysit, job_file, launches
from gapwise.workflows.babysit import TURNED, Sitting
from gapwise.workflows.knob_form import Field, changes, fields

NEW = "new"


def page(pipeline: str) -> None:
    """Choose a paused run of the pipeline, or begin one."""
    paused = _paused(pipeline)
    names = {NEW: f"begin a new run of {pipeline}"} | {run.run_id: run.name for run in paused}
    with widgets.card("babysit", "One model, from rung to rung", "paused after 1, 3, 9, … epochs"):
        chosen = carry.choose("sitting", list(names), names.__getitem__, width=330, adopt=False)
        run = next((one for one in paused if one.run_id == chosen), None)
        if run is None or run.folder is None:
            st.caption("It trains one epoch, then waits here for you.")
            if widgets.act("Begin", "lead", type="primary", key="begin-sitting"):
                launches.launch(["babysit", pipeline, "--json"], Settings.read())
                st.toast("Started; it stands below.")
            return
        sitting = babysit.look(run.folder, run.run_id)
        _curve(sitting)
        _turn(run, sitting)


def _paused(pipeline: str) -> list[StoredRun]:
    """Return the runs of a pipeline that were stopped here and can go on."""
    rows = data.runs(pipeline)
    ids = rows.loc[rows["status"] == "KILLED", "run_id"].astype(str)
    runs = [data.run(run_id) for run_id in ids]
    return [
        one
        for one in runs
        if one.kind == "train" and one.folder and (one.folder / job_file.NAME).is_file()
    ]


def _curve(sitting: Sitting) -> None:
    if not sitting.history:
        st.caption("No epoch is done yet.")
        return
    steps = list(range(1, sitting.epoch + 1))
    lines = {
        name: Curve(steps=steps, values=[one[key] for one in sitting.history], split=split)
        for name, key, split in (("train", "train_error", "train"), ("dev", "dev_error", "dev"))
    }
    st.markdown(f"Epoch **{sitting.epoch}** of {sitting.epochs}")
    widgets.chart(curves(lines, y="error", as_percent=True), "sitting")
    if sitting.changes:
        widgets.table(
            [
                {
                    "after epoch": str(one["epoch"]),
                    "knob": one["key"],
                    "from": str(one["before"]),
                    "to": str(one["after"]),
                }
                for one in sitting.changes
            ]
        )


def _turn(run: StoredRun, sitting: Sitting) -> None:
    shown = _turnable(run)
    typed = {}
    columns = st.columns(4, gap="small")
    for place, one in enumerate(shown):
        with columns[place % 4]:
            key = f"turn-{run.run_id}-{sitting.epoch}-{one.key}"
            label = one.key.removeprefix("training.")
            typed[one.key] = st.text_input(label, one.value, key=key, max_chars=200)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        left = max(1, sitting.epochs - sitting.epoch)
        epochs = st.number_input("Epochs until the next pause", 1, left, min(3, left), width=220)
        go = widgets.act("Go on", "lead", type="primary", key="sit-on")
    words = ["babysit", run.run_id, *changes(shown, typed), "--epochs", str(epochs)]
    st.code(" ".join(["gapwise", *words]), language="bash")
    if go:
        try:
            launches.launch([*words, "--json"], Settings.read())
        except GapwiseError as error:
            frame.told(error)
        else:
            st.toast("Started; it stands below.")


def _turnable(run: StoredRun) -> list[Field]:
    pipeline = Pipeline.model_validate(run.pipeline() or {})
    return [
        one
        for one in fields(pipeline)
        if one.key.startswith(TURNED) and one.key not in ("training.optimizer", "training.schedule")
    ]
