"""Estimates of the error that nobody can avoid: the card at the foot of *What next*."""

import streamlit as st

from dashboards import choice_data, widgets
from dashboards.text import said
from gapwise.errors import GapwiseError


def estimates(run: str) -> None:
    """Estimate on demand: thousands of neighbours are searched."""
    with widgets.card("bayes", "The error that nobody can avoid", "notes 4.7, 4.8"):
        st.caption("Estimates for where people are surpassed or nobody was asked.")
        if st.toggle("Estimate", key=f"bayes-{run}"):
            try:
                found = choice_data.bayes(run)
            except GapwiseError as error:
                st.info(said(str(error)[:1].upper() + str(error)[1:] + "."))
                return
            for says in found.says:
                st.markdown(f"- {said(says)}")
