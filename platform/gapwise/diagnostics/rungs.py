"""The rungs of the ladder: what is displayed, and joint posterior draws (DESIGN §3).

Every rung gives draws for any multiple of its examples, so that ``needs`` can ask what more
examples would decide.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.errors_by_split import SplitErrors
from gapwise.diagnostics.evidence import Evidence
from gapwise.errors import DataError
from gapwise.records import SPLITS, HumanLevel, Rung
from gapwise.statistics.intervals import wilson
from gapwise.statistics.posterior import DRAWS, bootstrap, jeffreys, seed_deviations

Draws = NDArray[np.float64]
ENOUGH_FOR_PROXY = 100


class Posterior(ABC):
    """Draws of one rung's error."""

    @abstractmethod
    def draw(self, factor: float, generator: np.random.Generator) -> Draws:
        """Return (draws,) with ``factor`` times the examples at the observed rates."""

    @property
    @abstractmethod
    def exact(self) -> Draws | float:
        """The observed error of this very model on these very examples, or of these seeds."""


@dataclass(frozen=True)
class Known(Posterior):
    """A human level that was given without its n: taken at its word."""

    error: float

    def draw(self, factor: float, generator: np.random.Generator) -> Draws:
        """Return the error itself, whatever the factor."""
        return np.full(DRAWS, self.error)

    @property
    def exact(self) -> Draws | float:
        """The error itself."""
        return self.error


@dataclass(frozen=True)
class Counted(Posterior):
    """Independent 0/1 errors of one run: Jeffreys' Beta."""

    wrong: float
    n: float

    def draw(self, factor: float, generator: np.random.Generator) -> Draws:
        """Return draws of Beta(factor × wrong + ½, factor × right + ½)."""
        return jeffreys(factor * self.wrong, factor * self.n, DRAWS, generator)

    @property
    def exact(self) -> Draws | float:
        """The observed error."""
        return self.wrong / self.n


@dataclass(frozen=True)
class Resampled(Posterior):
    """Grouped, weighted or fractional errors, or several seeds: drawn once, then scaled.

    Attributes:
        rates: (seeds,) observed errors.
        drawn: (draws, seeds) errors of each seed with examples resampled.
        seeds: (draws, seeds) deviations of the seeds' weights, the same for every rung.
    """

    rates: Draws
    drawn: Draws
    seeds: Draws

    def draw(self, factor: float, generator: np.random.Generator) -> Draws:
        """Return draws; more examples shrink what examples cause, not what seeds cause."""
        drawn = self.rates + (self.drawn - self.rates) / np.sqrt(factor)
        together = drawn.mean(axis=1) + (drawn * self.seeds).sum(axis=1)
        return np.asarray(np.clip(together, 0.0, 1.0), np.float64)

    @property
    def exact(self) -> Draws | float:
        """The observed errors, weighted over seeds as every rung is."""
        return np.asarray(self.rates.mean() + self.seeds @ self.rates, np.float64)


@dataclass(frozen=True)
class Step:
    """One rung as it is shown, with its posterior; ``grows`` where more examples would help."""

    rung: Rung
    posterior: Posterior
    grows: bool = True


def rungs(evidence: Evidence, test: bool, generator: np.random.Generator) -> dict[str, Step]:
    """Return the rungs that the evidence gives, in the ladder's order.

    Raises:
        DataError: no split at all, or runs that do not share their examples.
    """
    splits = [s for s in SPLITS if evidence.splits.get(s) and (test or s != "test")]
    if not splits:
        raise DataError(
            "there are no predictions of train, train_dev or dev to diagnose; "
            "write them with gapwise train or gapwise record"
        )
    found: dict[str, Step] = {}
    level = proxy(evidence)
    if level is not None:
        found["human"] = human_step(level)
    seeds = seed_deviations(evidence.seeds, DRAWS, generator)
    for split in splits:
        runs = evidence.splits[split]
        found[split] = (
            _one_run(split, runs[0], generator)
            if len(runs) == 1
            else _several(split, runs, seeds, generator)
        )
    if evidence.in_use is not None:
        found["field"] = _counted("field", evidence.in_use.error, evidence.in_use.n)
    return found


def proxy(evidence: Evidence, distribution: str = "train") -> HumanLevel | None:
    """Return the human level that stands for Bayes error on a distribution.

    The lowest among levels with n ≥ 100; where none has that many, the lowest (notes 4.7). Where
    train and dev are one distribution every level counts.
    """
    one = evidence.same_distribution
    levels = [h for h in evidence.human if one or h.distribution == distribution]
    large = [h for h in levels if h.n is not None and h.n >= ENOUGH_FOR_PROXY]
    return min(large or levels, key=lambda level: level.error, default=None)


def levels_told(evidence: Evidence) -> list[dict[str, Any]]:
    """Return every human level with its interval, and whether it stands for Bayes error."""
    proxies = [proxy(evidence, where) for where in ("train", "target")]
    told = []
    for level in evidence.human:
        rung = human_step(level).rung
        stands = any(level is one for one in proxies)
        told.append({**vars(level), "low": rung.low, "high": rung.high, "is_proxy": stands})
    return told


def human_step(level: HumanLevel) -> Step:
    """Return the rung of a human level; without n it has no interval."""
    if level.n is None:
        why = "measured on an unknown number of examples, so it has no interval"
        rung = Rung(rung="human", error=level.error, low=None, high=None, n=None, why=why)
        return Step(rung, Known(level.error), grows=False)
    return _counted("human", level.error, level.n)


def _counted(name: str, error: float, n: int) -> Step:
    shown = wilson(error * n, n)
    rung = Rung(rung=name, error=error, low=shown.low, high=shown.high, n=n)
    return Step(rung, Counted(error * n, n))


def _one_run(split: str, errors: SplitErrors, generator: np.random.Generator) -> Step:
    interval = errors.interval
    why = "" if interval else "all examples are of one group, so nothing shows how groups differ"
    rung = Rung(
        rung=split,
        error=errors.rate,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=errors.n,
        why=why,
    )
    if errors.wrong is not None:
        return Step(rung, Counted(errors.wrong, errors.n))
    assert errors.clusters is not None
    clusters = errors.clusters
    drawn = bootstrap(clusters.totals[:, None], clusters.weights, clusters.most, DRAWS, generator)
    posterior = Resampled(np.array([errors.rate]), drawn, np.zeros((DRAWS, 1)))
    return Step(rung, posterior, grows=interval is not None)


def _several(
    split: str, runs: Sequence[SplitErrors], seeds: Draws, generator: np.random.Generator
) -> Step:
    _check_same_examples(split, runs)
    clusters = [run.clusters for run in runs if run.clusters is not None]
    totals = np.column_stack([c.totals for c in clusters])
    drawn = bootstrap(totals, clusters[0].weights, clusters[0].most, DRAWS, generator)
    rates = np.array([run.rate for run in runs])
    posterior = Resampled(rates, drawn, seeds)
    error = float(rates.mean())
    one_group = clusters[0].groups < 2
    low, high = np.quantile(posterior.draw(1.0, generator), (0.025, 0.975))
    rung = Rung(
        rung=split,
        error=error,
        low=None if one_group else min(float(low), error),
        high=None if one_group else max(float(high), error),
        n=runs[0].n,
        why="all examples are of one group, so nothing shows how groups differ" * one_group,
    )
    return Step(rung, posterior, grows=not one_group)


def _check_same_examples(split: str, runs: Sequence[SplitErrors]) -> None:
    first = runs[0].keys
    for number, run in enumerate(runs[1:], start=2):
        if first is None or run.keys is None:
            raise DataError(
                f"several runs are diagnosed together, but {split} does not name its examples; "
                "give every example an example_id"
            )
        if not np.array_equal(first, run.keys):
            shared = len(np.intersect1d(first, run.keys))
            raise DataError(
                f"runs 1 and {number} differ in their {split} examples: {shared} of "
                f"{len(first)} and {len(run.keys)} are shared; diagnose them one by one"
            )
