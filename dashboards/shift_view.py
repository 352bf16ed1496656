"""How dev differs from the training distribution: the card at the foot of *Slices*."""

import streamlit as st

from dashboards import choice_data, widgets
from dashboards.text import said
from gapwise.errors import GapwiseError
from gapwise.figures import words
from gapwise.workflows.mismatch import Mismatch

MOST_ROWS = 8


def mismatch(run: str) -> None:
    """Compare on demand: the network runs over some thousand examples."""
    with widgets.card("mismatch", "How dev differs from the training data", "notes 4.15"):
        st.caption(
            "A classifier on what the network sees, then every column, dev against train-dev."
        )
        if st.toggle("Compare", key=f"compare-{run}"):
            _shown(run)


def _shown(run: str) -> None:
    try:
        found = choice_data.mismatch(run)
    except GapwiseError as error:
        st.info(said(str(error)))
        return
    for says in found.says or ["Nothing that is known of the examples tells them apart."]:
        st.markdown(f"- {said(says)}")
    if found.numbers:
        widgets.table(_numbers(found), numbers="mismatch-numbers")
    if found.names:
        widgets.table(_names(found), numbers="mismatch-names")


def _numbers(found: Mismatch) -> list[dict[str, str]]:
    before = words.of_rung(found.before)
    return [
        {
            "number": one.column,
            before: f"{one.before:.3g}",
            "Dev": f"{one.after:.3g}",
            "difference": f"{one.difference:+.3g}",
            "95 %": "" if one.low is None else f"{one.low:+.3g} to {one.high:+.3g}",
            "in deviations": f"{one.in_deviations:+.2f}",
        }
        for one in found.numbers[:MOST_ROWS]
    ]


def _names(found: Mismatch) -> list[dict[str, str]]:
    before = words.of_rung(found.before)
    return [
        {
            "name": one.column,
            "apart": f"{one.apart:.2f}",
            "differs most": one.most[0],
            before: words.percent(one.most[1]),
            "Dev": words.percent(one.most[2]),
            "of dev unseen": words.percent(one.unseen),
        }
        for one in found.names[:MOST_ROWS]
    ]
