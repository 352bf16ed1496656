"""The parts of *Search*: how far it is, where it drew and why, its trials, its winner."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards import carry, navigation, search_data, widgets
from dashboards.search_data import Followed
from dashboards.text import safe, said
from gapwise.figures import words
from gapwise.figures.search_course import search_course
from gapwise.figures.search_importance import search_importance
from gapwise.figures.search_parallel import search_parallel
from gapwise.figures.search_regions import search_regions
from gapwise.figures.search_trials import search_trials
from gapwise.search.driver import best_first
from gapwise.search.events import State, Trial
from gapwise.search.summary import course, importance

EVERY = 2.0
"""Seconds between looks at a search that runs."""

MOST_TRIALS = 12


def chosen() -> Followed | None:
    """Let people choose a search; None, with help, where there is none."""
    known = search_data.studies()
    if not known:
        widgets.empty(
            "No search yet",
            "Name the knobs in the pipeline's section search; from coarse to fine, trials are then "
            "drawn, stopped early where they are behind, and the winner is confirmed.",
            "make search PIPELINE=digits",
        )
        return None
    with widgets.chips("search"):
        names = [one.study for one in known]
        study = carry.choose("study", names, lambda name: f"Search  {name}", width=330)
    return search_data.follow(study)


def page(study: str) -> None:
    """Everything of one search, once; while it runs, anew every two seconds."""
    found = search_data.follow(study)
    if found.is_running:
        st.fragment(_whole, run_every=EVERY)(study)
    else:
        _whole(study)


def _whole(study: str) -> None:
    found = search_data.follow(study)
    _head(found)
    _tiles(found)
    if not search_data.dots(found):
        st.caption("No trial has reached a rung yet.")
        return
    _regions_and_why(found)
    _curves_and_cost(found)
    _knobs(found)
    _trials(found)
    if not found.is_running and st.session_state.pop(f"ran-{study}", False):
        st.rerun()  # it has just ended: the page rests from here on
    if found.is_running:
        st.session_state[f"ran-{study}"] = True


def _head(found: Followed) -> None:
    state = found.state
    ended = sum(trial.state != "running" for trial in state.trials)
    title, below = _title(found, ended)
    with st.container(key="head", gap=None):
        st.markdown(f"# {said(title)}")
        st.markdown(f":gray[{said(below)}]")
    if state.closed is None:
        st.progress(min(1.0, ended / max(1, found.asked_for)))


def _title(found: Followed, ended: int) -> tuple[str, str]:
    state = found.state
    if state.closed is not None:
        title, _, rest = str(state.closed["says"]).partition(": ")
        rest = rest[:1].upper() + rest[1:] if rest else ""
        return title, f"{rest} {_spent(state)}".strip()
    doing = f"{ended:,} of {found.asked_for:,} trials have ended"
    if not found.is_running:
        command = f"gapwise search {state.opened['name']}"
        return f"Stopped: {doing}", f"`{command}` goes on where it was. {_spent(state)}"
    if ended >= found.asked_for:
        return "The winner is being confirmed", _spent(state)
    left = found.seconds_left
    pace = "" if left is None else f"about {left // 60:.0f}:{left % 60:02.0f} left. "
    return f"Round {len(state.rounds)} of {_rounds(state)}: {doing}", f"{pace}{_spent(state)}"


def _rounds(state: State) -> int:
    return len(state.opened["search"]["rounds"])


def _spent(state: State) -> str:
    epochs = sum(trial.epochs for trial in state.trials)
    whole = state.opened["search"]["rungs"][-1]
    return (
        f"{len(state.trials):,} settings tried at the cost of {epochs / whole:.1f} trainings "
        f"({epochs:,} epochs); dev n = {state.opened['examples']:,} chose, "
        f"{state.opened['confirming']:,} chose nothing."
    )


def _tiles(found: Followed) -> None:
    state = found.state
    columns = st.columns(4, gap="small")
    best = state.best
    with columns[0]:
        own = state.trials[0].value if state.trials else None
        note = "" if own is None else f"the pipeline as it is: {_reached(state.trials[0])}"
        value = "–" if best is None or best.value is None else words.percent(best.value)
        widgets.tile("best", "Lowest dev error", value, note, "blue")
    with columns[1]:
        _honest(state)
    with columns[2]:
        _gain(state)
    with columns[3]:
        counts = {s: sum(t.state == s for t in state.trials) for s in ("done", "stopped", "failed")}
        note = f"{counts['stopped']} stopped early, {counts['failed']} failed"
        widgets.tile("ended", "Trained to the end", f"{counts['done']}", note)


def _reached(trial: Trial) -> str:
    told = words.percent(trial.value or 0.0)
    return (
        told
        if trial.state == "done"
        else f"{told} after {words.count(trial.epochs, 'epoch')}, then stopped"
    )


def _honest(state: State) -> None:
    found = (state.closed or {}).get("optimism")
    if not found:
        widgets.tile("honest", "Expect on new examples", "–", "told when the search has ended")
        return
    note = (
        f"({words.span(found['low'], found['high'])}), n = {found['n']}: the lowest of "
        f"{found['candidates']} is too good by luck"
    )
    widgets.tile("honest", "Expect on new examples", words.percent(found["corrected"]), note)


def _gain(state: State) -> None:
    found = state.confirmed
    if found is None:
        widgets.tile("gain", "Confirmed gain", "–", "held against the pipeline when it has ended")
        return
    note = (
        f"points ({words.span(found['low'], found['high'])}) on {found['n']} examples that chose "
        f"nothing, {words.count(found['seeds'], 'seed')} each"
    )
    sure = found["low"] is not None and found["low"] > 0
    tone = "green" if sure else "orange"
    widgets.tile("gain", "Confirmed gain", f"{100 * found['difference']:+.1f}", note, tone)


def _regions_and_why(found: Followed) -> None:
    axes = search_data.axes(found)
    left, right = st.columns([1.6, 1], gap="small")
    with left, widgets.card("regions", "Where each round drew", "darker: a lower error", fill=True):
        keys = list(axes)
        with st.container(horizontal=True):
            x = carry.choose("x", keys, str, width=290, adopt=False)
            others = [key for key in keys if key != x] or keys
            y = carry.choose("y", others, str, width=290, adopt=False)
        shown = [d for d in search_data.dots(found) if x in d.places and y in d.places]
        widgets.chart(search_regions(shown, axes[x], axes[y]), "regions")
        st.caption(
            "Filled: trained to the end; open: stopped. Every third later draw looks beyond."
        )
    with right, widgets.card("why", "Why there", fill=True):
        rounds = found.state.rounds
        # The latest first: that one is read while a search runs.
        tabs = st.tabs([f"Round {one.number + 1}" for one in rounds[::-1]])
        for tab, one in zip(tabs, rounds[::-1], strict=True):
            with tab:
                head, *rest = one.region.why
                st.markdown(said(head))
                for line in rest:
                    key, sign, text = line.partition(": ")
                    told = f"**{safe(key)}**  \n{said(text)}" if sign else said(line)
                    st.markdown(told)


def _curves_and_cost(found: Followed) -> None:
    left, right = st.columns([1.6, 1], gap="small")
    rungs = found.state.opened["search"]["rungs"]
    note = "dev error by epoch; those that were stopped fade, dots are rungs"
    shown = len(search_data.dots(found))
    if shown < found.reached:
        note = f"{note}; {shown:,} of {found.reached:,}: the best, and every n-th of the others"
    with left, widgets.card("curves", "Every trial", note, fill=True):
        widgets.chart(search_trials(search_data.dots(found), rungs), "trial-curves")
    with right, widgets.card("cost", "Error against cost", fill=True):
        way = course(found.events)
        total = sum(trial.epochs for trial in found.state.trials)
        widgets.chart(search_course(way.epochs, way.best, total, rungs[-1]), "course")


def _knobs(found: Followed) -> None:
    left, right = st.columns([1.6, 1], gap="small")
    with (
        left,
        widgets.card("parallel", "All knobs at once", "drag along an axis", fill=True),
    ):
        axes = search_data.axes(found)
        widgets.chart(search_parallel(search_data.dots(found), list(axes.values())), "parallel")
    with right, widgets.card("importance", "What mattered", fill=True):
        told = importance(found.state)
        if told is None:
            st.caption("Told after a dozen trials.")
        else:
            st.caption(f"error after {words.count(told.epochs, 'epoch')}, {told.trials} trials")
            widgets.chart(search_importance(told.shares), "importance")


def _trials(found: Followed) -> None:
    best = best_first(found.state.trials)[:MOST_TRIALS]
    with widgets.card("trials", "The best trials", "trained to the end, the lowest error first"):
        if not best:
            st.caption("None was trained to the end yet.")
            return
        rows = [_row(trial) for trial in best]
        widgets.table(rows, numbers="trials")
        with st.container(horizontal=True):
            numbers = [str(trial.number) for trial in best]
            number = st.selectbox("trial", numbers, width=120, label_visibility="collapsed")
            run_id = search_data.run_of(found.study, int(number))
            if st.button("Open its run", key="to-run", disabled=run_id is None):
                navigation.go("Run", run=run_id, experiment=found.state.opened["name"])


def _row(trial: Trial) -> dict[str, str]:
    row = {"trial": str(trial.number), "dev error": words.percent(trial.value or 0.0)}
    told: Mapping[str, Any] = search_data.settings_told(trial.parameters)
    return row | {key.rpartition(".")[2]: value for key, value in told.items()}
