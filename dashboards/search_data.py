"""What the page *Search* reads: studies and their events, read on where they grew."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from threading import Lock

from dashboards import data
from gapwise.figures.trial_dots import KnobAxis, TrialDot
from gapwise.search.event_log import EventLog, Listed
from gapwise.search.events import Event, Region, State, Trial
from gapwise.search.space import Knob, Space, told
from gapwise.search.summary import seconds_left, space_of
from gapwise.settings import Settings
from gapwise.tracking.lock import is_held
from gapwise.workflows.search_record import run_id_of

TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)

MOST_DOTS = 800
"""Trials drawn, at most: half of them the best, the others every n-th of the rest."""


@dataclass
class Followed:
    """One study: its events and what they amount to, brought further at each look."""

    study: str
    events: list[Event] = field(default_factory=list)
    state: State = field(default_factory=State)
    guard: Lock = field(default_factory=Lock)
    drawn: tuple[int, list[TrialDot]] = (-1, [])

    @property
    def reached(self) -> int:
        """How many trials reached a rung."""
        return sum(1 for trial in self.state.trials if trial.value is not None)

    @property
    def space(self) -> Space:
        """Its space."""
        return space_of(self.state)

    @property
    def is_running(self) -> bool:
        """Whether a driver holds it."""
        return is_held(Settings.read().searches / self.study / "lock")

    @property
    def seconds_left(self) -> float | None:
        """Until all rounds are done, by the pace so far."""
        return seconds_left(self.state, self.events, time.time())

    @property
    def asked_for(self) -> int:
        """Trials that its rounds ask for."""
        return sum(one["trials"] for one in self.state.opened["search"]["rounds"])


def studies() -> list[Listed]:
    """Return every study, the one that moved last first."""
    return _log(Settings.read().studies_url).studies()


def follow(study: str) -> Followed:
    """Return a study as it stands now."""
    url = Settings.read().studies_url
    found = _followed(url, study)
    with found.guard:
        for event in _log(url).read(study, len(found.events)):
            found.state.apply(event)
            found.events.append(event)
    return found


def dots(found: Followed) -> list[TrialDot]:
    """Return the trials that reached a rung, as they are drawn: ``MOST_DOTS`` of them at most."""
    count, made = found.drawn
    if count != found.state.count:
        made = _dots(found.state.trials)
        found.drawn = found.state.count, made
    return made


def _dots(trials: Sequence[Trial]) -> list[TrialDot]:
    reached = [trial for trial in trials if trial.value is not None]
    return [
        TrialDot(
            number=trial.number,
            state=trial.state,
            error=trial.value,
            places=trial.point,
            setting="\n".join(
                f"{key.rpartition('.')[2]} = {told(value)}"
                for key, value in trial.parameters.items()
            ),
            curve=trial.rungs[-1].curve,
        )
        for trial in _some(reached)
        if trial.value is not None
    ]


def _some(trials: Sequence[Trial]) -> list[Trial]:
    if len(trials) <= MOST_DOTS:
        return list(trials)
    ordered = sorted(trials, key=lambda trial: (trial.value or 0.0, trial.number))
    best, others = ordered[: MOST_DOTS // 2], ordered[MOST_DOTS // 2 :]
    chosen = [*best, *others[:: math.ceil(2 * len(others) / MOST_DOTS)]]
    return sorted(chosen, key=lambda trial: trial.number)


def axes(found: Followed) -> dict[str, KnobAxis]:
    """Return every knob as an axis, the most important tier first."""
    regions = [one.region for one in found.state.rounds]
    ordered = sorted(found.space.knobs, key=lambda knob: knob.tier)
    return {knob.key: _axis(knob, regions) for knob in ordered}


def run_of(study: str, trial: int) -> str | None:
    """Return the run of a trial, once it is written."""
    run_id = run_id_of(study, "trial", trial)
    return run_id if run_id in set(data.runs()["run_id"].astype(str)) else None


def settings_told(parameters: Mapping[str, object]) -> dict[str, str]:
    """Return a setting as people read it."""
    return {key: told(value) for key, value in parameters.items()}


def _axis(knob: Knob, regions: Sequence[Region]) -> KnobAxis:
    if knob.scale is None:
        places: Sequence[float] = [(i + 0.5) / len(knob.choices) for i in range(len(knob.choices))]
    elif knob.cells is not None and knob.cells <= 8:
        places = [(i + 0.5) / knob.cells for i in range(knob.cells)]
    else:
        places = TICKS
    half = 0.5 / (knob.cells or 1) if knob.scale is None else 0.0
    ranges = []
    for region in regions:
        ends = region.ranges.get(knob.key)
        ranges.append(None if not ends else (min(ends) - half, max(ends) + half))
    ticks = {place: _short(told(knob.at(place))) for place in places}
    return KnobAxis(key=knob.key, ticks=ticks, ranges=tuple(ranges))


def _short(text: str) -> str:
    return text if len(text) <= 14 else text[:13] + "…"


@cache
def _log(url: str) -> EventLog:
    return EventLog(url)


@cache
def _followed(url: str, study: str) -> Followed:
    return Followed(study=study)
