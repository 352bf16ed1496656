"""What the pages of choices read and write: select, slices, preferences, the decision log."""

import streamlit as st

from dashboards.data import run
from dashboards.fresh import Mark, stamp
from gapwise.diagnostics.selection import Selection
from gapwise.ledger import preferences
from gapwise.ledger.decisions import Decision
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.preferences import Preference
from gapwise.settings import Settings
from gapwise.workflows import decision_log as log
from gapwise.workflows import metric
from gapwise.workflows.bayes import BayesEstimates
from gapwise.workflows.bayes import bayes as estimate
from gapwise.workflows.decision_log import DecisionLog
from gapwise.workflows.metric import Metrics
from gapwise.workflows.mismatch import Mismatch, mismatch_run
from gapwise.workflows.select import SelectRequest, select_run
from gapwise.workflows.slices import Sliced, slice_run


def preference(a: str, b: str) -> Preference | None:
    """Return which of two runs people prefer, None where nobody said."""
    dataset = run(a).dataset
    stated = preferences.stated(Ledger(Settings.read().ledger_url), dataset)
    return next((one for one in stated if {one.better, one.worse} == {a, b}), None)


def prefer(better: str, worse: str, why: str, *, withdraw: bool = False) -> None:
    """Note a preference in the ledger, or take it back."""
    metric.prefer(better, worse, why, withdraw=withdraw)


def decisions(experiment: str | None) -> DecisionLog:
    """Return what was tried on which advice, the newest first."""
    return log.decision_log(experiment)


def decide(decision: Decision, outcome: str, why: str) -> None:
    """Note what became of a knob that was tried."""
    log.decide(decision.new, outcome, why, knob=decision.knob, base=decision.base)


def selection(experiment: str, optimize: str, limits: tuple[str, ...]) -> Selection:
    """Return which run of an experiment to take, on dev; costs are measured where a limit asks.

    Raises:
        UsageError, DataError: a metric or a limit that means nothing here.
    """
    return _selection(experiment, optimize, limits, stamp())


def slices(run_id: str, split: str) -> Sliced:
    """Return the error of a run by everything that is known of a split, and its weak slices."""
    return _slices(run_id, split, stamp())


@st.cache_data(show_spinner="Searching for weak slices", max_entries=16)
def _slices(run_id: str, split: str, at: Mark) -> Sliced:
    # A split is offered only after its test look was counted (open_splits).
    return slice_run(run_id, split, look=False)


def metric_ranks(experiment: str, weigh: tuple[str, ...]) -> Metrics:
    """Return how runs rank by error and under weights, and what people prefer.

    Raises:
        UsageError, DataError: weights that mean nothing here.
    """
    return _metric(experiment, weigh, stamp())


@st.cache_data(show_spinner="Ranking the runs", max_entries=16)
def _metric(experiment: str, weigh: tuple[str, ...], at: Mark) -> Metrics:
    return metric.check_metric(experiment, weigh=weigh)


@st.cache_data(show_spinner="Searching for neighbours", max_entries=16)
def bayes(run_id: str) -> BayesEstimates:
    """Return estimates of Bayes error on the training distribution of a run's data.

    Raises:
        UsageError, DataError, StorageError: its data is not here, or has no classes.
    """
    return estimate(run_id)


@st.cache_data(show_spinner="Comparing the splits", max_entries=16)
def mismatch(run_id: str) -> Mismatch:
    """Return how a run's dev differs from its train-dev.

    Raises:
        DataError: it has no predictions of dev, or of neither train-dev nor train.
    """
    return mismatch_run(run_id)


@st.cache_data(show_spinner="Judging the runs", max_entries=16)
def _selection(experiment: str, optimize: str, limits: tuple[str, ...], at: Mark) -> Selection:
    return select_run(SelectRequest(experiment=experiment, optimize=optimize, limits=limits))
