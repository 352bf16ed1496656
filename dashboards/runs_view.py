"""The parts of *Runs*: filters, the table, and opening what is chosen in it."""

from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboards import carry, data, navigation, widgets
from dashboards.listing import GROUPINGS, grouped_table, listed, runs_table
from gapwise.figures import words
from gapwise.tracking.store import CURVE_KIND

ALL: Final = "(all)"
STATUSES: Final = ("FINISHED", "RUNNING", "FAILED", "KILLED")
LABELS: Final = {"runs": "every run", "seeds": "over seeds", "pipeline": "by pipeline"}


def chosen_rows() -> pd.DataFrame | None:
    """Let people filter; None, with help, where there are no runs."""
    everything = data.runs()
    if everything.empty:
        widgets.empty("No runs yet", "Train a pipeline; its runs then stand here.", widgets.TRAIN)
        return None
    with widgets.chips("runs"):
        options = [ALL, *data.experiments()]
        experiment = carry.choose(
            "experiment", options, _experiment_label, forgets=("run", "other"), adopt=False
        )
        text = st.text_input(
            "find", key="find", placeholder="Find: name, id, dataset", width=250,
            label_visibility="collapsed",
        )  # fmt: skip
        statuses = st.pills(
            "status", STATUSES, selection_mode="multi", key="statuses", format_func=str.lower,
            label_visibility="collapsed",
        )  # fmt: skip
    rows = data.runs() if experiment == ALL else data.runs(experiment)
    if experiment == ALL:
        # The many short trainings of a learning curve stand under its own experiment.
        rows = rows[rows["kind"] != CURVE_KIND]
    return listed(rows, text or "", statuses or [])


def table(rows: pd.DataFrame) -> None:
    """The table, one row a run or one a group; choosing a row opens it."""
    with st.container(key="head", horizontal=True, vertical_alignment="bottom"):
        done = int((rows["status"] == "FINISHED").sum())
        count = f"{words.count(len(rows), 'run')}, {done:,} finished. Choose a row to open it."
        st.markdown(f"# Runs\n\n:gray[{count}]", width="stretch")
        by = st.segmented_control(
            "grouping", GROUPINGS, default="runs", key="by", format_func=lambda way: LABELS[way],
            label_visibility="collapsed", required=True,
        )  # fmt: skip
    if rows.empty:
        st.info("No run fits these filters; take one away.")
        return
    shown = runs_table(rows) if by == "runs" else grouped_table(rows, by)
    event: Any = st.dataframe(
        shown,
        key=f"table-{by}",
        hide_index=True,
        height=min(690, 37 * (len(shown) + 1) + 3),
        row_height=37,
        on_select="rerun",
        selection_mode="single-row",
        column_order=[str(name) for name in shown if name not in ("run_id", "key")],
        column_config=_columns(shown),
    )
    if event.selection.rows:
        _open(shown.iloc[event.selection.rows[0]], by)


def _open(row: pd.Series, by: str) -> None:
    if by == "runs":
        navigation.go("Run", experiment=row["Pipeline"], run=row["run_id"])
    elif by == "seeds":
        navigation.go("What next", experiment=row["Pipeline"], run=row["key"])
    else:
        carry.put(experiment=row["Pipeline"])
        st.rerun()


def _experiment_label(name: str) -> str:
    return "All pipelines" if name == ALL else f"Pipeline  {name}"


def _columns(shown: pd.DataFrame) -> dict[str, Any]:
    top = float(shown["Dev error"].max()) if shown["Dev error"].notna().any() else 100.0
    column = st.column_config
    return {
        "Run": column.TextColumn(width="medium"),
        "Dev error": column.ProgressColumn(
            format="%.1f %%", min_value=0.0, max_value=max(top, 0.1), color="#8fa9dd"
        ),
        "Train error": column.NumberColumn(format="%.1f %%"),
        "± (95 %)": column.NumberColumn(format="± %.1f", help="95 % interval of the mean"),
        "Best": column.NumberColumn(format="%.1f %%"),
        "Seconds": column.NumberColumn("Duration", format="%.0f s"),
        "Started": column.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        "Newest": column.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
    }
