"""What the page *Networks* reads, and its caching: described networks, and opened runs."""

import streamlit as st

from dashboards import data, names
from gapwise.settings import Settings
from gapwise.workflows import architecture, look_inside
from gapwise.workflows.architecture import Architecture
from gapwise.workflows.look_inside import Response, Strongest
from gapwise.workflows.opened_network import Inside, open_inside


def sizes() -> tuple[str, ...]:
    """Return the names of the networks and sizes that can be shown without a run."""
    return tuple(architecture.sizes())


def trained(experiment: str | None = None) -> dict[str, str]:
    """Return run id → name of the finished runs that trained, of one experiment or of all."""
    rows = data.runs(experiment)
    return names.of_runs(rows[(rows["status"] == "FINISHED") & (rows["kind"] == "train")])


def experiments() -> list[str]:
    """Return the experiments with such runs, the one with the newest run first."""
    return [name for name in data.experiments() if trained(name)]


@st.cache_data(show_spinner=False, max_entries=64)
def of_size(name: str) -> Architecture:
    """Return a network of ``sizes()``, described."""
    return architecture.of_size(name)


def of_run(run_id: str) -> Architecture:
    """Return a run's network, described; its weights are not needed.

    Raises:
        UsageError: the run has no network here.
        StorageError: its data is gone from the cache.
    """
    return _of_run(run_id, _home())


def inside(run_id: str) -> Inside:
    """Return a run's network with its weights, opened to be looked into.

    Raises:
        UsageError: the run has no network here.
        StorageError: its weights or data are gone.
    """
    return _inside(run_id, _home())


def response(opened: Inside, layer: str, example_id: str, first: int) -> Response:
    """Return what some units of a layer make of an example."""
    return _response(opened, opened.run_id, layer, example_id, first)


def strongest(opened: Inside, layer: str) -> Strongest:
    """Return where each unit of a layer is most excited."""
    return _strongest(opened, opened.run_id, layer, _home())


def _home() -> str:
    return str(Settings.read().home)


@st.cache_data(show_spinner=False, max_entries=64)
def _of_run(run_id: str, home: str) -> Architecture:
    return architecture.of_run(run_id)


@st.cache_resource(show_spinner="Opening the network …", max_entries=3)
def _inside(run_id: str, home: str) -> Inside:
    return open_inside(run_id)


@st.cache_data(show_spinner=False, max_entries=128)
def _response(_opened: Inside, run_id: str, layer: str, example_id: str, first: int) -> Response:
    return look_inside.respond(_opened, layer, example_id, first)


@st.cache_resource(show_spinner="Looking for what excites the units most …", max_entries=64)
def _strongest(_opened: Inside, run_id: str, layer: str, home: str) -> Strongest:
    return look_inside.strongest(_opened, layer)
