"""The gaps between rungs, their draws, and the verdict on them (DESIGN §3)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.rungs import Posterior
from gapwise.records import RUNGS

Draws = NDArray[np.float64]
SURE = 0.95
_LINKS = ("avoidable_bias", "variance", "data_mismatch", "dev_overfit", "field")


@dataclass(frozen=True)
class Link:
    """One gap: its name and the rungs that it stands between; no lower rung means from 0."""

    name: str
    lower: str | None
    upper: str

    @property
    def bound_only(self) -> bool:
        """Whether it is measured from 0 for want of a human level: it then never wins."""
        return "bias" in self.name.split("+")


@dataclass(frozen=True)
class Verdict:
    """The verdict, with what it rests on; arrays are (gaps,).

    Attributes:
        name: a gap's name, ``none`` or ``undecided``.
        high: probability that the gap exceeds δ.
        largest: probability that the gap is the largest.
        none: probability that every gap is below δ.
    """

    name: str
    high: Draws
    largest: Draws
    none: float


def links(present: Collection[str], same_distribution: bool) -> tuple[Link, ...]:
    """Return the gaps between the rungs that are present; a missing rung joins two names.

    Without train_dev, where train and dev are one distribution, there is no mismatch to join.
    """
    chain = list(RUNGS)
    names = list(_LINKS)
    if same_distribution and "train_dev" not in present:
        chain.remove("train_dev")
        names.remove("data_mismatch")
    if "human" not in present:
        names[0] = "bias"
    found = []
    lower: str | None = "human" if "human" in present else None
    pending: list[str] = []
    for name, upper in zip(names, chain[1:], strict=True):
        pending.append(name)
        if upper in present:
            found.append(Link("+".join(pending), lower, upper))
            lower, pending = upper, []
    return tuple(found)


def gap_draws(
    chain: tuple[Link, ...], draws: Mapping[str, Draws], posteriors: Mapping[str, Posterior]
) -> Draws:
    """Return (draws, gaps). What lies above train is measured from the observed train error."""
    columns = []
    for link in chain:
        if link.lower is None:
            columns.append(draws[link.upper])
        elif link.lower == "train":
            columns.append(draws[link.upper] - posteriors["train"].exact)
        else:
            columns.append(draws[link.upper] - draws[link.lower])
    return np.column_stack(columns)


def judge(chain: tuple[Link, ...], gaps: Draws, delta: float) -> Verdict:
    """Return the verdict on draws (draws, gaps) of the gaps."""
    high = (gaps > delta).mean(axis=0)
    order = np.bincount(gaps.argmax(axis=1), minlength=len(chain))
    largest = order / len(gaps)
    none = float((gaps < delta).all(axis=1).mean())
    name = "undecided"
    for number, link in enumerate(chain):
        wins = high[number] >= SURE and largest[number] >= SURE
        if wins and not link.bound_only:
            name = link.name
    if none >= SURE:
        name = "none"
    return Verdict(name, high, largest, none)
