"""The image files that the predictions of a recorded run name, read once."""

from pathlib import Path

import streamlit as st

from gapwise.tracking.stored import StoredRun
from gapwise.workflows.example_pictures import Media, read


def of_run(run: StoredRun) -> list[Media]:
    """Return the image files that the predictions of a run name, a table a split."""
    found = [path for split in run.splits() if (path := run.predictions_path(split))]
    return [_kept(str(path), path.stat().st_mtime_ns) for path in found]


@st.cache_resource(show_spinner=False, max_entries=16)
def _kept(table: str, mtime: int) -> Media:
    return read(Path(table))
