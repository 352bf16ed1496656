"""Who goes on at a rung: asynchronous successive halving (Li et al. 2020, "A system for massively
parallel hyperparameter tuning", MLSys), in the form that stops and never resumes.

A decision is a pure function of what was recorded before it, so that a search that is restarted
decides as the one before did.
"""

from collections.abc import Sequence

from gapwise.search.events import Decision


def rung_epochs(epochs: int, first: int, eta: int) -> tuple[int, ...]:
    """Return the epochs of each rung, the last being all of them.

    A rung that would lie within half of the end saves too little to be one.
    """
    rungs = []
    at = first
    while 2 * at <= epochs:
        rungs.append(at)
        at *= eta
    return (*rungs, epochs)


def decide(value: float, others: Sequence[float], *, eta: int, last: bool) -> Decision:
    """Return what becomes of a trial that shows ``value`` at a rung.

    Args:
        value: its error.
        others: the errors that trials before it showed at this rung.
        eta: one of this many goes on; at first, whoever is the best so far.
        last: whether the rung is the last.
    """
    if last:
        return "done"
    better = sum(other < value for other in others)
    return "go-on" if better < max(1, (len(others) + 1) // eta) else "stop"
