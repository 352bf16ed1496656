"""What a search's events show: its course, what its knobs matter, its time left."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gapwise.search.events import Event, State, Trial
from gapwise.search.space import Knob, Space

FEWEST = 12
"""Trials that importance is told from, at least."""

MOST = 1000
"""Trials that it is told from, at most: every n-th of more."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """The lowest error that was seen, by all epochs that were trained until then."""

    epochs: tuple[int, ...]
    best: tuple[float, ...]
    trials: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Importance:
    """How much of the spread of the error each knob explains, and after how many epochs."""

    shares: dict[str, float]
    epochs: int
    trials: int


def space_of(state: State) -> Space:
    """Return the space that a study was opened with."""
    return Space(knobs=tuple(_knob(facts) for facts in state.opened["search"]["space"]))


def course(events: Sequence[Event]) -> Course:
    """Return each improvement of the best error with what it had cost by then."""
    done: dict[int, int] = {}
    epochs: list[int] = []
    best: list[float] = []
    trials: list[int] = []
    for event in events:
        if event.kind != "result" or event.trial is None:
            continue
        done[event.trial] = event.facts["epochs"]
        if not best or event.facts["value"] < best[-1]:
            epochs.append(sum(done.values()))
            best.append(event.facts["value"])
            trials.append(event.trial)
    return Course(epochs=tuple(epochs), best=tuple(best), trials=tuple(trials))


def importance(state: State) -> Importance | None:
    """Return each knob's importance; None before there are enough trials.

    PED-ANOVA (Watanabe, Bansal and Hutter 2023) on the error at the highest rung that enough
    trials reached. Knobs with conditions, which some trials lack, are left out.
    """
    space = space_of(state)
    rungs: Sequence[int] = state.opened["search"]["rungs"]
    for rung in reversed(range(len(rungs))):
        reached = [trial for trial in state.trials if len(trial.rungs) > rung]
        reached = reached[:: math.ceil(len(reached) / MOST) or 1]
        if len(reached) >= FEWEST:
            keys = [k for k in space.keys if all(k in trial.point for trial in reached)]
            return Importance(
                shares=_shares(space, keys, reached, rung), epochs=rungs[rung], trials=len(reached)
            )
    return None


def seconds_left(state: State, events: Sequence[Event], now: float) -> float | None:
    """Return the seconds until all rounds are done, going by the pace so far; None at first."""
    ended = [e for e in events if e.kind == "failed" or e.facts.get("decision") in ("stop", "done")]
    total: int = sum(one["trials"] for one in state.opened["search"]["rounds"])
    if len(ended) < 3:
        return None
    begun = next(event.at for event in events if event.kind == "asked")
    return max(0.0, (now - begun) / len(ended) * (total - len(ended)))


def _shares(
    space: Space, keys: Sequence[str], trials: Sequence[Trial], rung: int
) -> dict[str, float]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    distributions: dict[str, Any] = {
        key: optuna.distributions.FloatDistribution(
            min(0.0, *(t.point[key] for t in trials)), max(1.0, *(t.point[key] for t in trials))
        )
        for key in keys
    }
    for trial in trials:
        study.add_trial(
            optuna.create_trial(
                params={key: trial.point[key] for key in keys},
                distributions=distributions,
                value=trial.rungs[rung].value,
            )
        )
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def _knob(facts: dict[str, Any]) -> Knob:
    return Knob(**{**facts, "choices": tuple(facts["choices"])})
