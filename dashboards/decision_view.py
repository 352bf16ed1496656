"""The parts of *Decision log*: how good advice was, every decision, and a changed mind."""

import streamlit as st

from dashboards import carry, choice_data, data, widgets
from dashboards.text import said
from gapwise.diagnostics.advice import Record
from gapwise.figures import words
from gapwise.ledger.decisions import OUTCOMES, Decision
from gapwise.workflows.decision_log import DecisionLog

TRY = "gapwise try latest KNOB"
ALL = "all"


def chosen() -> DecisionLog | None:
    """Let people choose an experiment; None, with help, where nothing has been tried."""
    known = data.experiments()
    found = choice_data.decisions(None) if known else None
    if found is None or not found.decisions:
        widgets.empty(
            "Nothing has been tried yet",
            "*What next* names knobs; each is trained, compared on the same examples and written "
            "down here by one command. Train a run first: `gapwise train digits`.",
            TRY,
        )
        return None
    with widgets.chips("decisions"):
        name = carry.choose(
            "experiment", [ALL, *known], lambda e: f"Experiment  {e}", width=260, adopt=False
        )
    return found if name == ALL else choice_data.decisions(name)


def head(log: DecisionLog) -> None:
    """How good the advice has been, in one sentence."""
    kept = sum(one.outcome == "kept" for one in log.decisions)
    with st.container(key="head", gap=None):
        st.markdown(
            f"# {kept} of {len(log.decisions)} knobs tried {'is' if kept == 1 else 'are'} kept"
        )
        st.markdown(f":gray[{said(log.record.says)} Intervals are 95 %, on dev.]")


def tiles(log: DecisionLog) -> None:
    """How often advice helped, hurt, and kept its bound."""
    record = log.record
    rows = (
        ("helped", "Surely helped", record.helped, "green"),
        ("hurt", "Surely hurt", record.hurt, "red"),
        ("within", "Gained no more than the bound", record.within, ""),
    )
    for column, (key, title, one, tone) in zip(st.columns(3, gap="small"), rows, strict=True):
        with column:
            widgets.tile(key, title, f"{one.count} of {one.n}", _share(one), tone)


def table(log: DecisionLog) -> None:
    """Every decision, the newest first."""
    with widgets.card("decisions", "Predicted against achieved", "points of dev error"):
        if log.decisions:
            widgets.table([_row(one, log) for one in log.decisions], numbers="decisions")
        else:
            st.caption("Nothing has been tried in this experiment.")


def change(log: DecisionLog) -> None:
    """Let people say otherwise; the past stays in the ledger."""
    if not log.decisions:
        return
    names = log.names
    known = [f"{one.knob} · {names.get(one.new, one.new[:10])}" for one in log.decisions]
    note = "kept in the ledger beside what was said"
    with (
        widgets.card("change", "Changed your mind?", note),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        row = st.selectbox("Decision", range(len(known)), format_func=known.__getitem__, width=420)
        outcome = st.selectbox("Outcome", OUTCOMES, width=150)
        why = st.text_input("Why", key="decide-why", width=320)
        if widgets.act("Note it", "lead", key="decide"):
            choice_data.decide(log.decisions[row], outcome, why)
            st.rerun()


def _row(one: Decision, log: DecisionLog) -> dict[str, str]:
    most = "not known" if one.at_most is None else f"≤ {100 * one.at_most:.1f}"
    inside = words.span(one.low, one.high)
    return {
        "knob": one.knob,
        "run": log.names.get(one.base, one.base[:10]),
        "gap": words.of_gap(one.gap),
        "could gain": most,
        "gained": f"{words.points(one.gained)}{f' ({inside})' if inside else ''}",
        "outcome": one.outcome,
        "why": one.why,
        "when": one.utc[:10],
    }


def _share(one: Record) -> str:
    if one.share is None or one.interval is None:
        return "none yet"
    return widgets.plotted(one.share, one.interval.low, one.interval.high)
