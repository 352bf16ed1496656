"""What an undecided ladder lacks: the rung that limits it, and the n that would decide."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gapwise.diagnostics import words
from gapwise.diagnostics.gaps import Link, Verdict, gap_draws, judge
from gapwise.diagnostics.rungs import ENOUGH_FOR_PROXY, Counted, Posterior, Resampled, Step
from gapwise.statistics.size import rounded_up

MOST = 100_000_000
_STEPS = 8


def needs(
    chain: tuple[Link, ...],
    steps: Mapping[str, Step],
    verdict: Verdict,
    delta: float,
    seed: int,
) -> dict[str, Any]:
    """Return ``{"rung", "n", "why"}``: the cheapest single rung that would decide, with its n.

    The posterior is projected to larger n at the observed rates, one rung at a time, then all of
    them by one factor. n is None where no n up to 100 million would decide; ``why`` says so. The
    n is where the answer would just be reached if the rates stay as they are: half of the time
    somewhat more will be needed.
    """
    if "human" not in steps and chain[0].bound_only and _first_blocks(verdict):
        return _measure_humans(chain, steps, delta, seed)
    project = _Projection(chain, steps, delta, seed)
    found = {
        name: size
        for name, step in steps.items()
        if step.grows and (size := project.size([name])) is not None
    }
    sizes = {name: size - (steps[name].rung.n or 0) for name, size in found.items()}
    if found:
        rung = min(sizes, key=lambda name: sizes[name])
        return {"rung": rung, "n": found[rung], "why": _why(rung, steps, found[rung])}
    growing = [name for name, step in steps.items() if step.grows]
    single = [name for name, step in steps.items() if not step.grows and step.rung.n is not None]
    rung = project.widest(growing) if growing else chain[-1].upper
    size = project.size(growing, rung) if growing else None
    if size is None and single:
        return {"rung": single[-1], "n": None, "why": _one_group(single)}
    if size is None:
        return {"rung": rung, "n": None, "why": _never(steps)}
    factor = size / (steps[rung].rung.n or 1)
    together = {name: rounded_up(factor * (steps[name].rung.n or 1)) for name in growing}
    sizes_ = ", ".join(f"{words.of_rung(name)} to {n:,}" for name, n in together.items())
    why = f"no single rung decides: all have to grow, {sizes_} examples"
    return {"rung": rung, "n": size, "together": together, "why": why}


class _Projection:
    def __init__(
        self, chain: tuple[Link, ...], steps: Mapping[str, Step], delta: float, seed: int
    ) -> None:
        self.chain, self.steps, self.delta, self.seed = chain, steps, delta, seed
        self.posteriors: dict[str, Posterior] = {k: step.posterior for k, step in steps.items()}

    def decides(self, factors: Mapping[str, float]) -> bool:
        generator = np.random.default_rng(self.seed)
        draws = {
            name: posterior.draw(factors.get(name, 1.0), generator)
            for name, posterior in self.posteriors.items()
        }
        gaps = gap_draws(self.chain, draws, self.posteriors)
        return judge(self.chain, gaps, self.delta).name != "undecided"

    def size(self, growing: list[str], report: str | None = None) -> int | None:
        """The n of ``report`` (the only rung that grows) at which the verdict is reached."""
        now = self.steps[report or growing[0]].rung.n or 1
        most = MOST / now
        if not self.decides(dict.fromkeys(growing, most)):
            return None
        low, high = 1.0, most
        while high / low > 2 and self.decides(dict.fromkeys(growing, math.sqrt(low * high))):
            high = math.sqrt(low * high)
        for _ in range(2 * _STEPS):
            middle = math.sqrt(low * high)
            if self.decides(dict.fromkeys(growing, middle)):
                high = middle
            else:
                low = middle
            if high / low < 1.03:
                break
        return rounded_up(max(now + 1, now * high))

    def widest(self, growing: list[str]) -> str:
        """The rung whose draws spread most."""
        generator = np.random.default_rng(self.seed)
        spread = {name: self.posteriors[name].draw(1.0, generator).std() for name in growing}
        return max(spread, key=lambda name: spread[name])


def _first_blocks(verdict: Verdict) -> bool:
    return float(verdict.largest[0]) >= 0.5


def _measure_humans(
    chain: tuple[Link, ...], steps: Mapping[str, Step], delta: float, seed: int
) -> dict[str, Any]:
    """The bias from 0 is the largest gap, and only a human level tells how much can be avoided."""
    first = chain[0].name.split("+")
    named = Link("+".join(["avoidable_bias", *first[1:]]), "human", chain[0].upper)
    size: int | None = None
    for guess in (1, 10, 100):
        n = ENOUGH_FOR_PROXY * guess
        human = Step(steps[chain[0].upper].rung, Counted(0, n))
        trial = _Projection((named, *chain[1:]), {"human": human, **steps}, delta, seed)
        if trial.decides({}):
            size = n
            break
    why = (
        "the bias from 0 may be the largest gap, but without a human level nobody knows how much "
        "of it can be avoided"
    )
    return {"rung": "human", "n": size or ENOUGH_FOR_PROXY, "why": why}


def _why(rung: str, steps: Mapping[str, Step], size: int) -> str:
    now = steps[rung].rung.n or 0
    return f"{words.of_rung(rung)} has {now:,} examples; at these rates about {size:,} would decide"


def _one_group(single: list[str]) -> str:
    names = words.listed([words.of_rung(name) for name in single])
    return (
        f"all examples of {names} are of one group, which gives no interval, however many they "
        "are: add examples of other groups"
    )


def _never(steps: Mapping[str, Step]) -> str:
    seeds = max(
        step.posterior.seeds.shape[1] if isinstance(step.posterior, Resampled) else 1
        for step in steps.values()
    )
    if seeds > 1:
        return "more examples alone do not decide: the seeds differ too much; train more seeds"
    return (
        "no number of examples decides at these rates: the gaps are too nearly equal, "
        "or too near to the limit"
    )
