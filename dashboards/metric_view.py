"""Does the metric rank as people do? The card at the foot of *Select* (notes 4.6)."""

import streamlit as st

from dashboards import carry, choice_data, widgets
from dashboards.select_view import figure
from dashboards.text import said
from gapwise.diagnostics.measures import measure
from gapwise.errors import GapwiseError
from gapwise.workflows.metric import Metrics

MOST_ROWS = 20
_APART = ";"


def rank_again(experiment: str) -> None:
    """Rank every run under weights that people write, and hold both metrics against people."""
    with widgets.card("metric", "Does the metric rank as people do?", "no network is run"):
        weigh = _weights()
        try:
            found = choice_data.metric_ranks(experiment, weigh)
        except GapwiseError as error:
            st.info(said(str(error)[:1].upper() + str(error)[1:] + "."))
            return
        st.markdown(said(found.says))
        if found.checks[0].pairs:
            st.caption(said(" ".join(check.says for check in found.checks)))
        else:
            st.caption("Say on *Compare* which of two runs people find better, and why.")
        st.caption(said(f"Ranked by {found.checks[-1].metric}:"))
        widgets.table(_rows(found), numbers="metric")


def _weights() -> tuple[str, ...]:
    """Let people write weights, one a semicolon; they stand in the URL."""
    key = "write-weights"
    st.session_state[key] = carry.get("weigh") or ""

    def changed() -> None:
        carry.put(weigh=st.session_state[key].strip() or None)

    st.text_input(
        "Weights",
        key=key,
        placeholder="weights: cat->dog=10; source:night=3",
        help="Mistakes that people mind: TRUE->PREDICTED=10, or examples: COLUMN:VALUE=10.",
        on_change=changed,
        label_visibility="collapsed",
        width=420,
    )
    return tuple(part.strip() for part in (carry.get("weigh") or "").split(_APART) if part.strip())


def _rows(found: Metrics) -> list[dict[str, str]]:
    first, last = found.checks[0], found.checks[-1]
    before = {run: place for place, run in enumerate(first.ranking, start=1)}
    rows = []
    for place, run in enumerate(last.ranking[:MOST_ROWS], start=1):
        row = {"run": found.names[run], "rank": str(place)}
        if last is not first:
            row[f"by {first.metric}"] = str(before[run])
        value = figure(measure(last.metric), found.values[last.metric][run])
        rows.append(row | {last.metric: value})
    return rows
