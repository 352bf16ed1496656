"""The parts of *Launch*: a pipeline, its knobs as a form, what is started, and how that stands."""

import time
from collections.abc import Callable, Sequence

import streamlit as st

from dashboards import babysit_view, carry, clock, frame, navigation, widgets
from dashboards.text import said
from gapwise.errors import GapwiseError, PipelineError
from gapwise.pipeline import Pipeline
from gapwise.pipeline_file import known
from gapwise.settings import Settings
from gapwise.workflows import launches
from gapwise.workflows.background import Background
from gapwise.workflows.knob_form import ORDER, Field, changes, fields
from gapwise.workflows.prepare import read

WHAT = {
    "train": "Train it",
    "search": "Search its knobs",
    "babysit": "Babysit one model",
    "try": "Try one knob",
}
EVERY = 2.0
MOST = 12
"""Launches shown."""


def page() -> None:
    """The form, and below it what was launched."""
    with widgets.chips("launch"):
        names = known()
        pipeline = carry.choose("pipeline", names, lambda name: f"Pipeline  {name}", width=300)
        options = [one for one in WHAT if one != "try" or carry.get("knob")]
        what = carry.choose("launch", options, lambda one: WHAT[one], width=240, adopt=False)
    if what == "try":
        _try()
    elif what == "babysit":
        babysit_view.page(pipeline)
    else:
        _form(pipeline, what)
    st.fragment(_launched, run_every=EVERY)()


def _try() -> None:
    run, knob = carry.get("run") or "", carry.get("knob") or ""
    with widgets.card("try", "One knob, on the same examples"):
        st.markdown(
            "The run's own pipeline is trained with the one change, compared on the same dev "
            "examples, and what it gained goes into the decision log."
        )
        st.code(f"gapwise try {run[:10]} {knob}", language="bash")
        if widgets.act("Start", "lead", type="primary", key="start-try"):
            _start(lambda: launches.attempt(run, knob, Settings.read()))


def _form(pipeline: str, what: str) -> None:
    own = fields(read(pipeline))
    with widgets.card("form", "Its knobs", "values are typed as in the pipeline's file"):
        # A part that is exchanged brings its own options, so the form follows what is typed.
        parts = [f"{key}={value}" for key, value in _exchanged(own, pipeline).items()]
        shown = fields(read(pipeline, parts)) if parts else own
        typed = _typed(shown, pipeline)
        try:
            overrides = [*parts, *(c for c in changes(shown, typed) if c not in parts)]
            checked: Pipeline | None = read(pipeline, overrides)
        except PipelineError as error:
            checked = None
            frame.told(error)
        _go(pipeline, what, overrides, checked)


def _go(pipeline: str, what: str, overrides: Sequence[str], checked: Pipeline | None) -> None:
    more = ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if what == "train":
            seeds = st.number_input("Seeds", 1, 100, 1, width=110, key="seeds")
            more = f" --seeds {seeds}" if seeds > 1 else ""
        usual = "one training at a time" if what == "train" else "one a core"
        workers = st.text_input(
            "Workers", "", width=240, key="workers", placeholder=f"{usual}; or 2, ray://…"
        ).strip()
        more += f" --workers {workers}" if workers else ""
        start = widgets.act("Start", "lead", type="primary", key="start", disabled=checked is None)
    st.code(" ".join(["gapwise", what, pipeline, *overrides]) + more, language="bash")
    if start and what == "train":
        _start(lambda: launches.training(pipeline, overrides, int(seeds), workers, Settings.read()))
    elif start:
        _start(lambda: launches.search(pipeline, overrides, workers, Settings.read()))


def _exchanged(own: Sequence[Field], pipeline: str) -> dict[str, str]:
    """Return the parts whose name was changed in the form."""
    found = {}
    for one in own:
        held = st.session_state.get(_key(pipeline, one.key))
        if one.kind == "part" and held is not None and held != one.value:
            found[one.key] = str(held)
    return found


def _typed(shown: Sequence[Field], pipeline: str) -> dict[str, str]:
    typed = {}
    groups = [group for group in ORDER if any(one.group == group for one in shown)]
    for tab, group in zip(st.tabs(groups), groups, strict=True):
        with tab:
            columns = st.columns(3, gap="small")
            for place, one in enumerate(one for one in shown if one.group == group):
                with columns[place % 3]:
                    typed[one.key] = _widget(one, _key(pipeline, one.key))
    return typed


def _widget(one: Field, key: str) -> str:
    label = one.key.removeprefix("training.") if one.group == "Training" else one.key
    if one.kind == "switch":
        return str(st.checkbox(label, one.value == "true", key=key, help=said(one.says))).lower()
    if one.kind in ("choice", "part"):
        at = one.options.index(one.value)
        return str(st.selectbox(label, one.options, at, key=key, help=said(one.says)))
    return st.text_input(label, one.value, key=key, help=said(one.says), max_chars=400)


def _key(pipeline: str, key: str) -> str:
    return f"knob-{pipeline}-{key}"


def _start(begin: Callable[[], str]) -> None:
    begin()
    st.toast("Started; it stands below.")


def _launched() -> None:
    found = launches.launched(Settings.read())
    running = {one.name for one in found if one.state == "running"}
    if st.session_state.get("running", running) - running:
        st.session_state["running"] = running
        st.rerun()  # one has ended: what stands above may have changed
    st.session_state["running"] = running
    with widgets.card("launched", "Launched here", "each in a process of its own"):
        if not found:
            st.caption("Nothing yet.")
        for one in found[:MOST]:
            _row(one)


def _row(one: Background) -> None:
    with st.container(key=f"row-{one.name}", horizontal=True, vertical_alignment="center"):
        tone = widgets.STATE_TONES[one.state]
        ago = clock.ago(time.time() - one.started)
        st.markdown(f":{tone}[●] {one.state}  \n:small[:gray[{ago}]]", width=110)
        words = said(" ".join(one.words))
        st.markdown(f"**{words}**  \n:small[:gray[{said(one.says)}]]", width="stretch")
        _stop_or_go_on(one)
        _see(one)


def _stop_or_go_on(one: Background) -> None:
    if one.state == "running":
        if widgets.act("Stop", "lead", key=f"stop-{one.name}"):
            launches.stop(one.name, Settings.read())
            st.rerun(scope="fragment")
    elif one.state != "done" and widgets.act("Go on", "lead", key=f"on-{one.name}"):
        try:
            launches.go_on(one, Settings.read())
        except GapwiseError as error:
            frame.told(error)
        else:
            st.rerun(scope="fragment")


def _see(one: Background) -> None:
    if one.words[0] == "search":
        if st.button("See it", key=f"see-{one.name}"):
            navigation.go("Search", pipeline=one.words[1], study=None)
    elif one.state == "done" and st.button("See runs", key=f"see-{one.name}"):
        navigation.go("Runs")
