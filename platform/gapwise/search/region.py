"""Where the next round draws: around what was good, and beyond a border that the best lies on.

Coarse to fine (notes 3.14). Good are the best quarter of the trials, and every one that chance
alone could have made worse than the best: a region is never narrower than the noise of the error
allows. A knob's range spans its good trials and half a gap to their neighbours on either side.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gapwise.search.events import Region, Trial
from gapwise.search.space import Knob, Space, told
from gapwise.statistics.seed_noise import PRIOR_RATIO

SHARE = 0.25
"""Share of the trials that counts as good."""

FEWEST = 4
"""Trials that count as good, at least."""

NARROWEST = 0.15
"""Width of a range, at least, as a share of the whole."""

BORDER = 0.08
"""A best trial within this share of the whole from an end lies on the border."""

WIDER = 0.25
"""How far a range goes on behind a border that the best lies on."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far each knob may ever go, from the pipeline's own rules: places below 0 and above 1."""

    ends: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def whole(space: Space) -> Region:
    """Return the region of the first round: all of the space."""
    return Region(
        ranges={knob.key: _all_of(knob) for knob in space.knobs},
        why=("The first round draws over the whole space.",),
    )


def held(space: Space, region: Region, tiers: Sequence[int], best: Mapping[str, object]) -> Region:
    """Return ``region`` with the knobs of other tiers held at the values of the best trial."""
    if not tiers:
        return region
    free = {k.key: region.ranges[k.key] for k in space.knobs if k.tier in tiers}
    still = {key: best[key] for key in space.keys if key not in free and key in best}
    named = ", ".join(f"{key} = {told(value)}" for key, value in still.items())
    why = [line for line in region.why if line.split(":")[0] not in still]
    if still:
        why.append(f"Held at the best so far, to be searched in other rounds: {named}.")
    return Region(ranges=free, held=still, why=tuple(why))


def narrowed(
    space: Space, before: Region, trials: Sequence[Trial], n: int | None, limits: Limits
) -> Region:
    """Return where the next round draws.

    Args:
        space: all knobs.
        before: the region of the round before.
        trials: those of all rounds so far that reached a rung.
        n: examples that their errors are measured on; None where errors have no noise.
        limits: how far knobs may go.
    """
    good = good_trials(trials, n)
    if not good:
        return before
    ranges, why = {}, []
    for knob in space.knobs:
        held_before = before.ranges.get(knob.key, _all_of(knob))
        mine, seen = ([one for one in some if knob.key in one.point] for some in (good, trials))
        if not mine:
            ranges[knob.key] = held_before
            continue
        if knob.scale is None:
            ranges[knob.key], line = _choices(knob, held_before, mine)
        else:
            ranges[knob.key], line = _range(knob, held_before, mine, seen, limits)
        why.append(f"{knob.key}: {line}")
    head = (
        f"{len(good)} of {len(trials)} trials are good: {_told(good)}; the next round draws where "
        "they lie."
    )
    return Region(ranges=ranges, why=(head, *why))


def good_trials(trials: Sequence[Trial], n: int | None) -> list[Trial]:
    """Return the good trials, the best first.

    Only trials that came as far as the best did are held against it; of them the best quarter, and
    those within the noise of the best, at most a half of all.
    """
    ordered = sorted((trial for trial in trials if trial.value is not None), key=_by_error)
    if not ordered:
        return []
    best = ordered[0].value
    assert best is not None
    spread = 0.0 if n is None else math.sqrt(PRIOR_RATIO * 2 * max(best * (1 - best), 1 / n) / n)
    fewest = max(FEWEST, math.ceil(SHARE * len(ordered)))
    most = max(fewest, len(ordered) // 2)
    near = sum(1 for t in ordered if t.value is not None and t.value <= best + spread)
    return ordered[: min(max(fewest, near), most)]


def _by_error(trial: Trial) -> tuple[float, float, int]:
    # Equal errors: the one that needed fewer epochs for it, then the earlier.
    assert trial.value is not None
    return trial.value, trial.epochs, trial.number


def _choices(
    knob: Knob, before: Sequence[float], good: Sequence[Trial]
) -> tuple[tuple[float, ...], str]:
    places = {knob.place(trial.parameters[knob.key]) for trial in good}
    left = tuple(place for place in before if place in places) or tuple(before)
    gone = [told(knob.at(place)) for place in before if place not in left]
    names = ", ".join(told(knob.at(place)) for place in left)
    if not gone:
        return left, f"all of {names} are among the good ones."
    return left, f"{names}; no good trial had {', '.join(gone)}."


def _range(
    knob: Knob,
    before: Sequence[float],
    good: Sequence[Trial],
    seen: Sequence[Trial],
    limits: Limits,
) -> tuple[tuple[float, float], str]:
    places = np.array([trial.point[knob.key] for trial in good])
    everyone = np.sort([trial.point[knob.key] for trial in seen])
    low, high = _reach(everyone, places.min(), places.max(), before)
    middle = (low + high) / 2
    if high - low < NARROWEST:
        low, high = middle - NARROWEST / 2, middle + NARROWEST / 2
    low, high = max(low, before[0]), min(high, before[1])
    least, most = limits.ends.get(knob.key, (0.0, 1.0))
    best, says = places[0], ""
    if best - before[0] < BORDER and before[0] > least:
        low = max(least, before[0] - WIDER)
        says = "; the best lies on the lower border, so the range goes on below it"
    if before[1] - best < BORDER and before[1] < most:
        high = min(most, before[1] + WIDER)
        says = "; the best lies on the upper border, so the range goes on above it"
    line = f"{_ends(knob, low, high)}, from {_ends(knob, before[0], before[1])}{says}."
    return (float(low), float(high)), line


def _reach(
    everyone: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    low: float,
    high: float,
    before: Sequence[float],
) -> tuple[float, float]:
    """Return a range that reaches half a gap beyond the good trials on either side."""
    below = everyone[everyone < low]
    above = everyone[everyone > high]
    down = below[-1] if len(below) else before[0]
    up = above[0] if len(above) else before[1]
    return (low + down) / 2, (high + up) / 2


def _all_of(knob: Knob) -> tuple[float, ...]:
    if knob.scale is None:
        return tuple((i + 0.5) / len(knob.choices) for i in range(len(knob.choices)))
    return 0.0, 1.0


def _ends(knob: Knob, low: float, high: float) -> str:
    return f"{told(knob.at(low))} to {told(knob.at(high))}"


def _told(good: Sequence[Trial]) -> str:
    values = [trial.value for trial in good if trial.value is not None]
    return f"dev errors from {100 * min(values):.1f} to {100 * max(values):.1f} %"
