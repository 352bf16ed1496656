"""What the examples of a run look like: pictures, or rows of features; and the caching of it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboards import data, fresh, media
from gapwise.data import prepared
from gapwise.errors import DataError, GapwiseError
from gapwise.workflows import example_pictures, example_sounds


def picture(run_id: str, example_id: str) -> NDArray[np.uint8] | None:
    """Return an example's picture, None where it has none.

    It comes from the run's prepared data; a recorded run has none, but may name image files.
    """
    store = _prepared_of(run_id)
    if store is None:
        return example_pictures.picture(_media_of(run_id), example_id)
    if not store.has_pictures:
        return None
    try:
        return store.picture(example_id)
    except DataError:
        return None


def has_pictures(run_id: str) -> bool:
    """Return whether the run's examples can be drawn."""
    store = _prepared_of(run_id)
    if store is None:
        known = _media_of(run_id)
        return any(table.paths for table in known) and not example_sounds.has_sounds(known)
    return store.has_pictures


def sound(run_id: str, example_id: str) -> bytes | None:
    """Return an example's sound as a wav file, None where it has none."""
    return example_sounds.sound(_media_of(run_id), example_id)


def has_sounds(run_id: str) -> bool:
    """Return whether the run's examples can be heard."""
    return example_sounds.has_sounds(_media_of(run_id))


def inputs(run_id: str, example_ids: Sequence[str]) -> dict[str, list[float]]:
    """Return feature → its number for each example; {} where there are no rows of features."""
    store = _prepared_of(run_id)
    if store is None or not store.feature_names:
        return {}
    columns = store.rows(example_ids).T.tolist()
    return dict(zip(store.feature_names, columns, strict=True))


def _prepared_of(run_id: str) -> prepared.Prepared | None:
    try:
        found = data.run(run_id)
    except GapwiseError:
        return None
    folder = example_pictures.prepared_folder(found, fresh.store())
    try:
        return _prepared(str(folder)) if folder else None
    except GapwiseError:
        return None


def _media_of(run_id: str) -> list[example_pictures.Media]:
    try:
        return media.of_run(data.run(run_id))
    except GapwiseError:
        return []


@st.cache_resource(show_spinner=False, max_entries=8)
def _prepared(folder: str) -> prepared.Prepared:
    return prepared.open(Path(folder))
