"""What decides a search beside what its trials show, and what it asks of its jobs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gapwise.search.events import Trial
from gapwise.search.region import Limits
from gapwise.search.space import Space
from gapwise.workers.base import Failure


@dataclass(frozen=True, kw_only=True)
class RoundPlan:
    """A round that the pipeline asks for."""

    trials: int
    sampler: str
    tiers: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """All that decides a search beside what its trials show.

    Attributes:
        space: the knobs.
        rounds: coarse to fine.
        rungs: epochs at which trials are held against each other; the last is the end.
        eta: one of this many goes on at a rung.
        seed: of the draws.
        narrow: whether rounds narrow.
        examples: what errors are measured on; None where they have no noise.
        limits: how far each knob may ever go.
        given: settings that are tried first; the first of them is the pipeline as it is.
    """

    space: Space
    rounds: tuple[RoundPlan, ...]
    rungs: tuple[int, ...]
    eta: int
    seed: int
    narrow: bool = True
    examples: int | None = None
    limits: Limits = field(default_factory=Limits)
    given: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a job gave at a rung.

    Attributes:
        epochs: epochs done.
        curve: the dev error after each of them.
        is_over: whether it stopped by itself (early stopping), so that no rung follows.
        facts: what else is kept, as the checkpoint and the seconds.
    """

    epochs: int
    curve: tuple[float, ...]
    is_over: bool
    facts: Mapping[str, Any]


class Sharing(Protocol):
    """Makes calls that bring several trials forward at once, where that is faster."""

    @property
    def most(self) -> int:
        """How many trials a call may hold."""

    def shape(self, trial: Trial) -> str:
        """Return what trials of one call have in common."""

    def call(self, trials: Sequence[Trial], epochs: int) -> tuple[Callable[..., Any], Any]:
        """Return the function and the argument that bring trials to so many epochs."""

    def read(self, value: Any) -> list[Shown | Failure]:
        """Read what such a call returned, trial by trial."""


class Jobs(Protocol):
    """Makes the calls of a search's trials, and reads what they gave."""

    @property
    def sharing(self) -> Sharing | None:
        """Makes calls for several trials; None where each has one of its own."""

    def call(self, trial: Trial, epochs: int) -> tuple[Callable[..., Any], Any]:
        """Return the function and the argument that bring a trial to so many epochs."""

    def read(self, value: Any) -> Shown:
        """Read what such a call returned."""
