"""Splits: design who trains, who decides and who judges, and see what the sizes buy."""

import streamlit as st

from dashboards import frame, split_view

with frame.page("Splits"):
    base = split_view.chosen()
    if base:
        left, right = st.columns([1, 1.35], gap="small")
        with left:
            made = split_view.design(*base)
        with right:
            split_view.table(made)
        split_view.what_sizes_buy(made)
        split_view.duplicates(made)
        split_view.save(made)
