"""The next setting to try: a pure function of the search's seed, its events and the trial's number.

Every draw has a sampler of its own, seeded by the search's seed and the trial's number, on a study
in memory that is rebuilt from the events: a search that is restarted draws as the one before did.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from gapwise.search.events import Region, RoundState, Trial
from gapwise.search.region import whole
from gapwise.search.space import Space

if TYPE_CHECKING:
    import optuna

SEEN = {"tpe": 200, "gp": 60}
"""Trials that a model looks at, at most: the best half of them, and the latest. What a Gaussian
process costs grows with their cube."""

EXPLORE = 3
"""Of this many draws of a later round, one is from the whole space: what was good early on may have
been luck, and a region that is left for good cannot be found again."""

FEWEST = 8
"""Trials that a model needs before it is asked; until then the draw is quasi-random."""


def suggest(
    space: Space, state: RoundState, trials: Sequence[Trial], number: int, seed: int
) -> dict[str, float]:
    """Return the point of trial ``number``: places of the knobs that the round searches.

    Args:
        space: all knobs.
        state: the round: its region and how it draws.
        trials: every trial asked so far.
        number: of the trial, from 0 over all rounds.
        seed: of the search.
    """
    if not state.region.ranges:
        return {}
    if state.number and number % EXPLORE == EXPLORE - 1:
        draw = _sobol(len(space.keys), number, _seed(seed, "explore"))
        return _in_region(space, _whole(space, state.region), draw)
    if state.sampler == "random":
        draw = np.random.default_rng(_seed(seed, "random", number)).random(len(space.keys))
    elif state.sampler == "sobol" or len(seen := _seen(space, state, trials)) < FEWEST:
        draw = _sobol(len(space.keys), number - state.first, _seed(seed, "sobol", state.number))
    else:
        return _by_model(space, state, seen, trials, _seed(seed, state.sampler, number))
    return _in_region(space, state.region, draw)


def _seen(space: Space, state: RoundState, trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that a model of the round's region can learn from."""
    return [t for t in trials if t.value is not None and _inside(space, t, state.region)]


def _whole(space: Space, region: Region) -> Region:
    """Return all of the space, for the knobs that a round searches."""
    ranges = whole(space).ranges
    return replace(region, ranges={key: ranges[key] for key in region.ranges})


def _in_region(space: Space, region: Region, draw: NDArray[np.float64]) -> dict[str, float]:
    point = {}
    for key, at in zip(space.keys, draw, strict=True):
        if key not in region.ranges:
            continue
        ends = region.ranges[key]
        if space[key].scale is None:
            point[key] = ends[min(int(at * len(ends)), len(ends) - 1)]
        else:
            point[key] = float(ends[0] + at * (ends[1] - ends[0]))
    return point


def _sobol(knobs: int, number: int, seed: int) -> NDArray[np.float64]:
    engine = qmc.Sobol(knobs, scramble=True, rng=seed)
    if number:
        engine.fast_forward(number)
    # Sobol's balance needs powers of two; a round of 24 is near enough, and told by nobody.
    draw: NDArray[np.float64] = engine.random(1)[0]
    return draw


def _by_model(
    space: Space, state: RoundState, seen: Sequence[Trial], trials: Sequence[Trial], seed: int
) -> dict[str, float]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        # Joint sampling of knobs with conditions is marked experimental; the pin keeps it as it is.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = _SAMPLERS[state.sampler](seed)
    study = optuna.create_study(sampler=sampler)
    running = [
        one
        for one in trials
        if one.state == "running" and not one.rungs and _inside(space, one, state.region)
    ]
    for trial in (*_bounded(seen, SEEN[state.sampler]), *running):
        study.add_trial(_frozen(space, state.region, trial))
    asked = study.ask()
    point: dict[str, float] = {}
    for knob in space.knobs:
        if knob.key not in state.region.ranges:
            continue
        values = space.values(point) | dict(state.region.held)
        if all(values.get(other) == value for other, value in knob.when.items()):
            ends = state.region.ranges[knob.key]
            if knob.scale is None:
                point[knob.key] = asked.suggest_categorical(knob.key, ends)
            else:
                point[knob.key] = asked.suggest_float(knob.key, *ends)
    return point


def _tpe(seed: int) -> "optuna.samplers.BaseSampler":
    import optuna

    return optuna.samplers.TPESampler(
        seed=seed, multivariate=True, group=True, n_startup_trials=FEWEST, constant_liar=True
    )


def _gp(seed: int) -> "optuna.samplers.BaseSampler":
    import optuna

    return optuna.samplers.GPSampler(seed=seed, n_startup_trials=FEWEST)


_SAMPLERS: Mapping[str, Callable[[int], "optuna.samplers.BaseSampler"]] = {"tpe": _tpe, "gp": _gp}


def _frozen(space: Space, region: Region, trial: Trial) -> "optuna.trial.FrozenTrial":
    """Return a trial as Optuna knows it: stopped ones as pruned at the epoch that they reached."""
    import optuna

    state = optuna.trial.TrialState
    params = {k: v for k, v in trial.point.items() if k in region.ranges}
    distributions: dict[str, Any] = {}
    for key in params:
        ends = region.ranges[key]
        categorical = space[key].scale is None
        distributions[key] = (
            optuna.distributions.CategoricalDistribution(ends)
            if categorical
            else optuna.distributions.FloatDistribution(ends[0], ends[1])
        )
    if trial.state == "done":
        return optuna.create_trial(params=params, distributions=distributions, value=trial.value)
    values = {rung.epochs: rung.value for rung in trial.rungs}
    return optuna.create_trial(
        state=state.RUNNING if trial.state == "running" else state.PRUNED,
        params=params,
        distributions=distributions,
        intermediate_values=values,
    )


def _inside(space: Space, trial: Trial, region: Region) -> bool:
    """Whether a trial lies in the region, and has the values that the round holds."""
    if any(trial.parameters.get(key) != value for key, value in region.held.items()):
        return False
    for key, ends in region.ranges.items():
        at = trial.point.get(key)
        if at is None or key not in trial.parameters:
            continue
        inside = at in ends if space[key].scale is None else ends[0] <= at <= ends[1]
        if not inside:
            return False
    return True


def _bounded(seen: Sequence[Trial], most: int) -> list[Trial]:
    if len(seen) <= most:
        return list(seen)
    best = sorted(seen, key=lambda t: (-t.epochs, t.value, t.number))[: most // 2]
    latest = seen[-most // 2 :]
    chosen = {trial.number for trial in (*best, *latest)}
    return [trial for trial in seen if trial.number in chosen]


def _seed(*parts: object) -> int:
    text = json.dumps(parts).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
