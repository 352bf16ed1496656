"""The chips that many pages begin with: a run, and a split of it."""

from collections.abc import Mapping

import streamlit as st

from dashboards import carry, data
from gapwise.figures import words

WIDTH = 300


def run_of(names: Mapping[str, str]) -> str:
    """Let people choose one of the runs (id → name, at least one); a group means its newest."""
    carry.put(run=data.newest_of(carry.get("run")))
    return carry.choose("run", list(names), lambda key: f"Run  {names[key]}", width=WIDTH)


def split_of(run: str) -> str | None:
    """Let people choose a split of a run; None, with a word, where it has no predictions."""
    splits = data.open_splits(data.run(run))
    if not splits:
        st.info("This run has no predictions.")
        return None
    return carry.choose("split", splits, lambda s: f"Split  {words.of_rung(s)}", width=150)
