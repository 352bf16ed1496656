"""Runs: find a run, or compare groups of them; choosing a row opens it."""

from dashboards import frame, runs_view

with frame.page("Runs"):
    rows = runs_view.chosen_rows()
    if rows is not None:
        runs_view.table(rows)
