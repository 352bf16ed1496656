"""Trials as calls of workers: each has one of its own, or several of one shape share one."""

from collections.abc import Callable, Sequence
from typing import Any

from gapwise.search.events import Trial
from gapwise.search.plan import Jobs, Shown
from gapwise.workers.base import Failure


def call_of(jobs: Jobs, trials: Sequence[Trial], epochs: int) -> tuple[Callable[..., Any], Any]:
    """Return the function and the argument that bring ``trials`` to so many epochs."""
    if len(trials) == 1 or jobs.sharing is None:
        return jobs.call(trials[0], epochs)
    return jobs.sharing.call(trials, epochs)


def ends_of(jobs: Jobs, trials: Sequence[Trial], value: Any) -> list[Shown | Failure]:
    """Read what such a call returned, trial by trial."""
    if len(trials) == 1 or jobs.sharing is None:
        return [jobs.read(value)]
    return jobs.sharing.read(value)


def beside(jobs: Jobs, first: Trial, waiting: Sequence[Trial], slots: int) -> list[Trial]:
    """Return those of ``waiting`` that share the call of ``first``.

    Which they are is a function of the events and of ``slots``, the workers that have nothing to
    do, so that a search that is restarted shares alike. A trial whose call was lost has its own.
    """
    if jobs.sharing is None or first.attempts:
        return []
    shape = jobs.sharing.shape(first)
    alike = [
        trial
        for trial in sorted(waiting, key=lambda trial: trial.number)
        if trial.next_rung == first.next_rung
        and not trial.attempts
        and jobs.sharing.shape(trial) == shape
    ]
    fair = -(-(len(waiting) + 1) // slots)
    return alike[: min(jobs.sharing.most, fair) - 1]
