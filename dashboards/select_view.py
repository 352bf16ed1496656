"""The parts of *Select*: metric and limits, the answer, the picture, every candidate."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboards import carry, choice_data, data, widgets
from dashboards.text import safe, said
from gapwise.diagnostics.measured import Value
from gapwise.diagnostics.measures import NAMES, Measure, measure
from gapwise.diagnostics.selection import Judged, Selection
from gapwise.errors import GapwiseError
from gapwise.figures import words
from gapwise.figures.pareto import Axis, Point, pareto

OWN = ("optimize", "limits", "weigh")
MOST_ROWS = 50
_APART = ";"
_OFFERED = ("accuracy", "f1", "precision", "recall", "error")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An experiment, the metric to optimize, and the limits as they were written."""

    experiment: str
    optimize: str
    limits: tuple[str, ...]


def chosen() -> Asked | None:
    """Let people choose experiment, metric and limits; None, with help, where there is no run."""
    known = data.experiments()
    if not known:
        widgets.empty(
            "No run to select from yet",
            "Train a few variants of a pipeline; the best of those that are fast and small enough "
            "is then named here.",
            widgets.TRAIN,
        )
        return None
    with widgets.chips("select"):
        experiment = carry.choose("experiment", known, lambda e: f"Experiment  {e}", width=260)
        offered = list(dict.fromkeys([carry.get("optimize") or "accuracy", *_OFFERED]))
        optimize = carry.choose("optimize", offered, lambda m: f"Optimize  {m}", width=210)
        limits = _limits()
    return Asked(experiment=experiment, optimize=optimize, limits=limits)


def selected(asked: Asked) -> Selection | None:
    """Return which run to take; None, with the reason on the page, where that cannot be told."""
    try:
        return choice_data.selection(asked.experiment, asked.optimize, asked.limits)
    except GapwiseError as error:
        st.info(said(str(error)[:1].upper() + str(error)[1:] + "."))
        return None


def head(found: Selection) -> None:
    """The answer in one sentence, and what it stands on."""
    feasible = found.of("feasible")
    names = data.run_names(found.extra["experiment"])
    title = "No run surely keeps every limit"
    if found.winner:
        title = f"Take :green[{safe(names[found.winner])}]"
    basis = (
        f"{len(feasible)} feasible, {len(found.of('borderline'))} borderline and "
        f"{len(found.of('infeasible'))} infeasible on {found.extra['split']}; intervals are 95 %."
    )
    with st.container(key="head", gap=None):
        st.markdown(f"# {title}")
        st.markdown(f":gray[{said(found.says)} {basis}]")


def picture_and_standings(found: Selection) -> None:
    """The Pareto picture, and what the winner's limits say."""
    if _across(found) is None:
        st.caption(
            "Set a limit on another metric to see what it costs: latency_p95_ms<=5, say, or "
            "several apart by semicolons."
        )
        st.code(_command(found), language="bash", wrap_lines=True)
        return
    left, right = st.columns([2.2, 1], gap="small")
    with left, widgets.card("pareto", "What one metric costs in the other", fill=True):
        _picture(found)
    with right, widgets.card("why", "What the limits say", fill=True):
        shown = next((one for one in found.judged if one.candidate.run_id == found.winner), None)
        shown = shown or found.judged[0]
        for rule in shown.rules:
            st.markdown(said(rule.says))
        for one in found.extra["left_out"]:
            st.caption(said(f"Left out: {one['run_id'][:10]}: {one['why']}."))
        st.code(_command(found), language="bash", wrap_lines=True)


def candidates(found: Selection) -> None:
    """Every run with its metrics, how it stands, and whether it can be told from the winner."""
    more = len(found.judged) - MOST_ROWS
    note = f"the best {MOST_ROWS} of {len(found.judged)}" if more > 0 else "the best first"
    with widgets.card("candidates", "Candidates", note):
        names = data.run_names(found.extra["experiment"])
        rows = [_row(one, found, names) for one in found.judged[:MOST_ROWS]]
        widgets.table(rows, numbers="candidates")
        if found.extra["wear"]:
            st.caption(said(found.extra["wear"]["says"]))


def figure(one: Measure, value: Value) -> str:
    """Return a metric's value with its interval as text."""
    if value.value is None:
        return "not known"
    ends = value.interval
    if one.is_fraction:
        low, high = (ends.low, ends.high) if ends else (None, None)
        return widgets.plotted(value.value, low, high)
    text = words.number(value.value)
    return f"{text} ({words.number(ends.low)} – {words.number(ends.high)})" if ends else text


def _limits() -> tuple[str, ...]:
    """Let people write limits, one a semicolon; they stand in the URL."""
    key = "write-limits"
    st.session_state[key] = carry.get("limits") or ""

    def changed() -> None:
        carry.put(limits=st.session_state[key].strip() or None)

    st.text_input(
        "Limits",
        key=key,
        placeholder="limits: latency_p95_ms<=5; size_mb<=1",
        help="METRIC<=NUMBER, several apart by semicolons: " + ", ".join(NAMES),
        on_change=changed,
        label_visibility="collapsed",
        width=420,
    )
    return tuple(part.strip() for part in (carry.get("limits") or "").split(_APART) if part.strip())


def _picture(found: Selection) -> None:
    x, y = _axis(found, _across(found) or found.measure), _axis(found, found.measure)
    names = data.run_names(found.extra["experiment"])
    points = [
        Point(
            label=names.get(one.candidate.run_id, one.candidate.name),
            standing=one.standing,
            x=at.value,
            y=up.value,
            x_ends=(at.interval.low, at.interval.high) if at.interval else None,
            y_ends=(up.interval.low, up.interval.high) if up.interval else None,
            winner=one.candidate.run_id == found.winner,
        )
        for one in found.judged
        for at, up in [(one.candidate.values[x.name], one.candidate.values[y.name])]
        if at.value is not None and up.value is not None
    ]
    if points:
        widgets.chart(pareto(points, x, y), "pareto")
        st.caption("★ the winner; dashed: the limit; the grey line: runs that none beats in both.")
    else:
        st.caption("No run has both metrics.")


def _across(found: Selection) -> Measure | None:
    """Return the metric of the first limit that is not the optimizing one."""
    limited = [limit.metric for limit in found.limits if limit.metric != found.measure.name]
    return measure(limited[0]) if limited else None


def _axis(found: Selection, one: Measure) -> Axis:
    mine = [limit for limit in found.limits if limit.metric == one.name]
    higher = one.higher_is_better
    if higher is None:
        higher = bool(mine) and mine[0].sign.startswith(">")
    return Axis(
        name=one.name,
        higher_is_better=higher,
        fraction=one.is_fraction,
        limits=tuple(limit.bound for limit in mine),
    )


def _row(one: Judged, found: Selection, names: Mapping[str, str]) -> Mapping[str, str]:
    values: dict[str, Any] = {
        name: figure(measure(name), value) for name, value in one.candidate.values.items()
    }
    p = "" if one.p_value is None else f"{one.p_value:.2g}"
    mark = " ★" if one.candidate.run_id == found.winner else ""
    return {
        "run": f"{names.get(one.candidate.run_id, one.candidate.name)}{mark}",
        **values,
        "limits": one.standing,
        "p": p,
    }


def _command(found: Selection) -> str:
    limits = " ".join(f"--limit {shlex.quote(str(limit))}" for limit in found.limits)
    experiment = shlex.quote(str(found.extra["experiment"]))
    return f"gapwise select {experiment} --optimize {found.measure.name} {limits}".strip()
