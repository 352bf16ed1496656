"""Tables of runs for the page *Runs*: filtered, or grouped with mean and interval over seeds."""

from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

ERRORS: Final = ("dev/error", "dev_error")
TRAIN_ERRORS: Final = ("train/error", "train_error")

GROUPINGS: Final = ("runs", "seeds", "pipeline")


def listed(rows: pd.DataFrame, words: str, statuses: list[str]) -> pd.DataFrame:
    """Return the rows that hold every one of ``words`` in name, id, pipeline or dataset."""
    kept = rows[rows["status"].isin(statuses)] if statuses else rows
    for word in words.lower().split():
        text = (
            kept["name"] + " " + kept["run_id"] + " " + kept["experiment"] + " " + kept["dataset"]
        )
        kept = kept[text.str.lower().str.contains(word, regex=False)]
    return kept


def runs_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a run as people read it; errors in percent, durations in seconds."""
    return pd.DataFrame(
        {
            "run_id": rows["run_id"],
            "Run": rows["name"],
            "Pipeline": rows["experiment"],
            "Status": rows["status"].str.lower(),
            "Dev error": 100 * error_of(rows, ERRORS),
            "Train error": 100 * error_of(rows, TRAIN_ERRORS),
            "Seed": rows["seed"],
            "Dataset": rows["dataset"],
            "Started": local(rows["started"]),
            "Seconds": (rows["ended"] - rows["started"]).dt.total_seconds(),
        }
    )


def grouped_table(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return one row a group of seeds, or a pipeline, of the finished runs: mean ± interval.

    The interval is Student's over the runs, 95 %; a single run has none. Errors in percent.
    """
    done = rows[rows["status"] == "FINISHED"]
    done = done.assign(error=100 * error_of(done, ERRORS))
    alone = done["group"].where(done["group"].astype(bool), done["run_id"])
    key = alone if by == "seeds" else done["experiment"]
    groups = done.groupby(key, sort=False)
    n, mean = groups["error"].count(), groups["error"].mean()
    quantile = stats.t.ppf(0.975, np.maximum(n - 1, 1))
    half: Any = (groups["error"].std() * quantile / np.sqrt(np.maximum(n, 1))).where(n > 1)
    name = "Pipeline" if by == "pipeline" else "Run"
    table = pd.DataFrame(
        {
            "run_id": groups["run_id"].first(),
            name: groups["experiment" if by == "pipeline" else "name"].first(),
            "Pipeline": groups["experiment"].first(),
            "Runs": groups["run_id"].count(),
            "Dev error": mean,
            "± (95 %)": half,
            "Best": groups["error"].min(),
            "Newest": local(groups["started"].max()),
        }
    )
    table["key"] = table.index
    return table.reset_index(drop=True)


def local(times: pd.Series) -> pd.Series:
    """Return UTC times as plain ones of this machine's time zone."""
    here = datetime.now().astimezone().tzinfo
    return pd.Series(times.dt.tz_convert(here).dt.tz_localize(None))


def error_of(rows: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    """Return the first of some metrics that each run has, as fractions of 1."""
    found = pd.Series(np.nan, index=rows.index, dtype=float)
    for name in names:
        column = f"metric.{name}"
        if column in rows:
            found = found.fillna(rows[column].astype(float))
    return found
