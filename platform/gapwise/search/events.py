"""What a search writes down, and what that amounts to: its only truth (DESIGN: Job)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "opened", "round", "asked", "result", "failed", "lost", "unfit", "confirmed", "closed"
]

Decision = Literal["go-on", "stop", "done"]

TrialState = Literal["running", "stopped", "done", "failed", "infeasible"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened in a search.

    Attributes:
        kind: ``opened``, ``round`` (one begins), ``asked`` (a setting was drawn), ``result`` (of a
            trial at a rung, with what was decided), ``failed`` (a trial ends without a result),
            ``lost`` (a worker was gone: the job is run again), ``unfit`` (a trial could not be
            trained again to be confirmed), ``confirmed`` (the winner was held against the pipeline
            as it was) or ``closed``.
        trial: its number, from 0, where the event is a trial's.
        facts: JSON's own types.
        at: seconds since 1970; told to people, and nothing is decided by it.
    """

    kind: Kind
    facts: Mapping[str, Any]
    trial: int | None = None
    at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Rung:
    """What a trial showed at a rung.

    Attributes:
        rung: from 0.
        epochs: epochs done.
        value: the lowest dev error so far.
        curve: the dev error after each epoch so far.
        decision: what was decided then.
        facts: what else its job gave, as the checkpoint and the seconds.
    """

    rung: int
    epochs: int
    value: float
    curve: tuple[float, ...]
    decision: Decision
    facts: Mapping[str, Any]


@dataclass(kw_only=True)
class Trial:
    """One setting and how far it came.

    Attributes:
        reason: why it failed.
        unfit: why it could not be trained again, under another seed.
    """

    number: int
    round: int
    parameters: Mapping[str, Any]
    point: Mapping[str, float]
    rungs: list[Rung] = field(default_factory=list)
    state: TrialState = "running"
    reason: str = ""
    unfit: str = ""
    attempts: int = 0

    @property
    def value(self) -> float | None:
        """The lowest dev error so far, if a rung was reached."""
        return self.rungs[-1].value if self.rungs else None

    @property
    def next_rung(self) -> int:
        """The rung that it has to reach next."""
        return len(self.rungs)

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return self.rungs[-1].epochs if self.rungs else 0


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where a round draws, knob by knob, and why there.

    Attributes:
        ranges: of each knob that is searched, (low, high) on the space's scale of 0 to 1; beyond
            that where the space was widened. Of a choice: the places of those left.
        held: values of the knobs that are not searched.
        why: sentences for people, one a knob.
    """

    ranges: Mapping[str, tuple[float, ...]]
    held: Mapping[str, Any] = field(default_factory=dict)
    why: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        ranges = {key: list(ends) for key, ends in self.ranges.items()}
        return {"ranges": ranges, "held": dict(self.held), "why": list(self.why)}

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "Region":
        """Read what ``as_json`` gave."""
        ranges = {key: tuple(ends) for key, ends in facts["ranges"].items()}
        return cls(ranges=ranges, held=facts["held"], why=tuple(facts["why"]))


@dataclass(frozen=True, kw_only=True)
class RoundState:
    """A round that has begun: its region, how it draws, and how many trials it has to try."""

    number: int
    trials: int
    sampler: str
    region: Region
    first: int


@dataclass(kw_only=True)
class State:
    """What the events of one search amount to; only ``apply`` changes it."""

    opened: Mapping[str, Any] = field(default_factory=dict)
    rounds: list[RoundState] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    confirmed: Mapping[str, Any] | None = None
    closed: Mapping[str, Any] | None = None
    count: int = 0

    def __post_init__(self) -> None:
        self._values: dict[int, list[float]] = {}
        self._running: dict[int, Trial] = {}

    def apply(self, event: Event) -> None:
        """Take one event."""
        self.count += 1
        _APPLY[event.kind](self, event)

    @property
    def running(self) -> Sequence[Trial]:
        """The trials that have no end yet, in the order that they were asked in."""
        return list(self._running.values())

    @property
    def finished(self) -> list[Trial]:
        """The trials that were trained to the end."""
        return [trial for trial in self.trials if trial.state == "done"]

    @property
    def best(self) -> Trial | None:
        """The trial of the lowest error among those trained to the end, the first among equals."""
        return min(self.finished, key=lambda t: (t.value, t.number), default=None)

    def values_at(self, rung: int) -> list[float]:
        """Return the values of all trials that reached ``rung``, as they came."""
        return self._values.get(rung, [])

    def of_round(self, number: int) -> list[Trial]:
        """Return the trials of one round."""
        return [trial for trial in self.trials if trial.round == number]

    def _open(self, event: Event) -> None:
        self.opened = event.facts

    def _round(self, event: Event) -> None:
        facts = event.facts
        self.rounds.append(
            RoundState(
                number=len(self.rounds),
                trials=facts["trials"],
                sampler=facts["sampler"],
                region=Region.read(facts["region"]),
                first=len(self.trials),
            )
        )

    def _asked(self, event: Event) -> None:
        facts = event.facts
        trial = Trial(
            number=len(self.trials),
            round=len(self.rounds) - 1,
            parameters=facts["parameters"],
            point=facts["point"],
        )
        self.trials.append(trial)
        self._running[trial.number] = trial

    def _result(self, event: Event) -> None:
        facts = event.facts
        trial = self._trial(event)
        trial.rungs.append(
            Rung(
                rung=facts["rung"],
                epochs=facts["epochs"],
                value=facts["value"],
                curve=tuple(facts["curve"]),
                decision=facts["decision"],
                facts=facts["job"],
            )
        )
        self._values.setdefault(facts["rung"], []).append(facts["value"])
        trial.attempts = 0
        if facts["decision"] != "go-on":
            self._end(trial, "done" if facts["decision"] == "done" else "stopped")

    def _failed(self, event: Event) -> None:
        trial = self._trial(event)
        trial.reason = event.facts["reason"]
        self._end(trial, "infeasible" if event.facts["infeasible"] else "failed")

    def _lost(self, event: Event) -> None:
        self._trial(event).attempts += 1

    def _unfit(self, event: Event) -> None:
        self._trial(event).unfit = event.facts["why"]

    def _confirmed(self, event: Event) -> None:
        self.confirmed = event.facts

    def _closed(self, event: Event) -> None:
        self.closed = event.facts

    def _trial(self, event: Event) -> Trial:
        assert event.trial is not None
        return self.trials[event.trial]

    def _end(self, trial: Trial, state: TrialState) -> None:
        trial.state = state
        del self._running[trial.number]


_APPLY = {
    "opened": State._open,
    "round": State._round,
    "asked": State._asked,
    "result": State._result,
    "failed": State._failed,
    "lost": State._lost,
    "unfit": State._unfit,
    "confirmed": State._confirmed,
    "closed": State._closed,
}


def replay(events: Iterable[Event]) -> State:
    """Return what a search's events amount to."""
    state = State()
    for event in events:
        state.apply(event)
    return state
