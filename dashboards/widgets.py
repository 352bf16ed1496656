"""Building blocks of pages: cards, chips, tiles, next steps, empty states."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboards import navigation, who
from dashboards.text import safe, said
from gapwise.figures import words
from gapwise.ledger.team import Role
from gapwise.records import Finding, Knob

TONES: Mapping[str, str] = {
    "bias": "blue",
    "avoidable_bias": "blue",
    "variance": "orange",
    "data_mismatch": "red",
    "dev_overfit": "violet",
    "field": "green",
}

TRAIN = "make train PIPELINE=digits"

STATE_TONES: Mapping[str, str] = {
    "running": "blue",
    "done": "green",
    "failed": "red",
    "stopped": "orange",
}
"""The colour word of how a command in the background stands."""

_PLOTLY = {"displayModeBar": False, "scrollZoom": False, "showTips": False}


@contextmanager
def card(name: str, title: str = "", note: str = "", *, fill: bool = False) -> Iterator[None]:
    """A white card with a title in our words and a note in grey; ``fill``: as high as its row."""
    with st.container(key=f"card-{name}", height="stretch" if fill else "content"):
        if title:
            st.markdown(f"### {title}")
        if note:
            st.caption(note)
        yield


@contextmanager
def chips(name: str) -> Iterator[None]:
    """The row at the top of a page that says what is being looked at."""
    with st.container(key=f"chips-{name}", horizontal=True, vertical_alignment="center"):
        yield


def chip(name: str, text: str) -> None:
    """A small frame with Markdown of ours in it."""
    with st.container(key=f"chip-{name}", width="content"):
        st.markdown(text, width="content")


def tile(name: str, label: str, value: str, note: str, tone: str = "") -> None:
    """A card with one figure; all texts are ours or already safe."""
    with st.container(key=f"card-tile-{name}", height="stretch"):
        st.caption(label)
        st.markdown(f"## :{tone}[{value}]" if tone else f"## {value}")
        st.caption(note)


def chart(figure: go.Figure, key: str, chosen: Callable[[int], None] | None = None) -> None:
    """A plotly figure in its own look, without plotly's buttons.

    Where ``chosen`` is given, points can be chosen; it gets the place of the one that was.
    """
    name = f"chart-{key}"
    if chosen is None:
        st.plotly_chart(figure, theme=None, config=_PLOTLY, key=name)
        return

    def changed() -> None:
        points: list[Any] = st.session_state[name].selection.points
        if points:
            chosen(int(points[-1]["point_index"]))

    st.plotly_chart(
        figure, theme=None, config=_PLOTLY, key=name, on_select=changed, selection_mode="points"
    )


def table(rows: Sequence[Mapping[str, str]], *, numbers: str = "") -> None:
    """A small table; column names are ours, cells are data and are made safe here.

    ``numbers`` names a table whose columns but the first hold numbers, which stand to the right.
    """
    columns = list(rows[0]) if rows else []
    cells = {name: [said(row[name]) for row in rows] for name in columns}
    with st.container(key=f"numbers-{numbers}" if numbers else None):
        st.table(cells, hide_index=True)


def empty(title: str, says: str, command: str) -> None:
    """An empty page: what is missing and the command that fills it."""
    with card("empty"):
        st.markdown(f"### {title}")
        st.markdown(says)
        st.code(command, language="bash")


def tone(gap: str) -> str:
    """Return the colour word of a gap for Streamlit's Markdown."""
    return TONES.get(gap.split("+")[-1], "gray")


def step(place: int, knob: Knob, before: Mapping[str, Any], run_id: str = "") -> None:
    """One next step: what it can gain at most, what it is, and its one-knob diff with command.

    ``before`` is the pipeline as it is, as plain values; ``run_id`` the run that is diagnosed.
    """
    with st.container(
        key=f"step-{place}", horizontal=True, vertical_alignment="center", wrap=False
    ):
        st.markdown(_ceiling(knob), width=76)
        text = f"{safe(knob.name)}  \n:small[:gray[{said(knob.why)}]]"
        st.markdown(text, width="stretch")
        if knob.change or knob.command:
            with st.popover("Try", width="content"):
                _how(knob, before, run_id)


def findings(found: Sequence[Finding]) -> None:
    """Findings, most severe first, each a sentence."""
    for finding in found:
        mark = "red" if finding.severity >= 0.7 else "orange" if finding.severity >= 0.4 else "gray"
        st.markdown(f":{mark}[●]  {said(finding.says)}")


def plotted(value: float, low: float | None, high: float | None) -> str:
    """Return an error with its interval as text."""
    interval = words.span(low, high)
    return f"{words.percent(value)} ({interval})" if interval else words.percent(value)


def _ceiling(knob: Knob) -> str:
    if knob.at_most is None:
        return ":gray[not known]"
    return f"**:{tone(knob.gap)}[≤ {100 * knob.at_most:.1f} pt]**"


def _how(knob: Knob, before: Mapping[str, Any], run_id: str) -> None:
    if knob.change:
        st.caption("One knob")
        lines = [
            f"{sign} {key}: {_yaml(value)}"
            for key, new in knob.change.items()
            for sign, value in (("-", at(before, key)), ("+", new))
        ]
        st.code("\n".join(lines), language="diff")
    if knob.command:
        st.caption("The command")
        st.code(knob.command, language="bash", wrap_lines=True)
    if knob.change and run_id:
        st.caption("Trained, compared and written into the decision log")
        st.code(f"gapwise try {run_id[:10]} {knob.id}", language="bash", wrap_lines=True)
        if st.button("Try it", key=f"try-{knob.id}"):
            navigation.go("Launch", run=run_id, knob=knob.id, launch="try")


def act(label: str, role: Role, *, disabled: bool = False, **options: Any) -> bool:
    """Draw a button for what asks for a role; return whether somebody who holds it pressed it.

    Others see it grey. Who presses is asked anew: a browser can send what its page does not offer.
    """
    allowed = who.may(role)
    if not allowed:
        options["help"] = f"for the role {role}"
    return st.button(label, disabled=disabled or not allowed, **options) and allowed


def at(values: Mapping[str, Any], key: str) -> Any:
    """Return the value at a dotted key, None where there is none."""
    found: Any = values
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
