"""The list of runs, and marks of what changed since: what pages compute is cached by them.

A mark tells what is stored, not files: where a team keeps both on servers there are none, and here
a training writes its curves each second, which changes no diagnosis.
"""

from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboards import books
from gapwise.errors import GapwiseError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore

Mark = tuple[Any, ...]

KEPT: Final = 600
"""Seconds after which a server is asked for all its runs again: one may have been deleted there."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """All runs, newest first, and what changes when one begins, ends or goes."""

    rows: pd.DataFrame
    mark: int


def store() -> RunStore:
    """Return the runs."""
    settings = Settings.read()
    return _store(str(settings.home), settings.tracking_uri)


def rows() -> pd.DataFrame:
    """Return one row a run, newest first, without the parameters, which no list shows."""
    return _listed(_files()).rows


def runs_mark() -> Mark:
    """Return what changes whenever a run begins, ends or goes."""
    settings = Settings.read()
    return str(settings.home), settings.tracking_uri, _listed(_files()).mark


def stamp(*, tags: bool = False) -> Mark:
    """Return what changes with the runs, or with a word in the ledger; with tags, where asked."""
    return *runs_mark(), Settings.read().ledger_url, books.revision(tags=tags)


def _files() -> Mark:
    """Return what changes whenever the embedded store may have changed."""
    settings = Settings.read()
    files = [*settings.home.glob("mlflow.db*"), settings.runs]
    marks = tuple((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files if f.exists())
    return str(settings.home), settings.tracking_uri, marks


@st.cache_resource(show_spinner=False, max_entries=4)
def _store(home: str, uri: str) -> RunStore:
    return RunStore(Settings.read())


@st.cache_resource(show_spinner=False, max_entries=4, ttl=20)
def _listed(files: Mark) -> Listed:
    # Shared, not copied for every page: nobody changes it.
    found = store().rows(parameters=False)
    Thread(target=_list_anew, args=(store(),), daemon=True).start()
    heads = zip(found["run_id"], found["status"], found["ended"], strict=True)
    return Listed(rows=found, mark=hash(tuple(heads)))


def _list_anew(runs: RunStore) -> None:
    with suppress(GapwiseError):  # the next page that asks is told
        runs.list_anew(KEPT)
