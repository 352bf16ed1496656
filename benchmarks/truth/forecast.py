"""Forecasts of learning curves against what was then measured, and against a plain power law.

    python -m benchmarks.truth.forecast [--seeds 3] [--points FILE]

Eleven learners (networks, linear ones, neighbours, trees, …) are trained on nested subsets of five
real datasets, every curve with a dev and a test set of its own. From each size that has five sizes
up to it and four times the data above it, the error at 2 and 4 times the data is forecast from the
last six dev errors alone, by the code of ``gapwise curve``; the truth is the mean error of as many
seeds on the untouched test set. Priors, misfit and drift were set on digits and USPS; MNIST,
Fashion-MNIST and Adult are the figure. ``--points`` keeps the errors of the trainings in a file.
"""

import argparse
import json
import os
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from benchmarks.truth._size_curves import DATASETS, LEARNERS, SizeCurve, measure
from gapwise.diagnostics import curve_trust
from gapwise.diagnostics.forecast import forecast
from gapwise.statistics.intervals import Clusters, Interval, clustered, wilson
from gapwise.statistics.power_laws import SizePoints, fit
from gapwise.statistics.seed_noise import standard_errors

Numbers = NDArray[np.float64]

SET_ON = ("digits", "usps")
FEWEST = 5
WINDOW = 6
FACTORS = (2, 4)
CONFIDENCE = 0.9


@dataclass(frozen=True, kw_only=True)
class Case:
    """One forecast: what was said, what was true, what the plain law said; errors as fractions."""

    curve: str
    dataset: str
    factor: int
    truth: float
    error: float
    low: float
    high: float
    plain: float
    abstains: str = ""

    @property
    def covers(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.truth <= self.high

    @property
    def better(self) -> bool:
        """Whether the forecast is nearer to the truth than the plain law."""
        return abs(self.error - self.truth) < abs(self.plain - self.truth)


def plain_law(sizes: Numbers, errors: Numbers, size: float) -> float:
    """Return a + b n^−c at ``size`` by least squares on the means; the last error if none fits."""

    def law(n: Numbers, a: float, b: float, c: float) -> Numbers:
        return np.asarray(a + b * n**-c, np.float64)

    start = (errors[-1] / 2, errors[0] * sizes[0] ** 0.5, 0.5)
    try:
        bounds = ([0, 0, 0], [1, np.inf, 5])
        found, _ = curve_fit(law, sizes, errors, p0=start, bounds=bounds, max_nfev=5_000)
    except RuntimeError:
        return float(errors[-1])
    return float(law(np.array(size), *found))


def cases(curve: SizeCurve) -> Iterator[Case]:
    """Give the forecasts of one curve, from every size that allows one."""
    for last in range(FEWEST, len(curve.sizes) - 1):
        window = slice(max(0, last - WINDOW), last)
        errors = [np.array(found) for found in curve.dev[window]]
        means, deviations = standard_errors(errors, curve.n_dev)
        points = SizePoints(np.array(curve.sizes[window], np.float64), means, deviations)
        for factor, place in zip(FACTORS, (last, last + 1), strict=True):
            yield _case(curve, points, factor, place)


def _case(curve: SizeCurve, points: SizePoints, factor: int, place: int) -> Case:
    generator = np.random.default_rng([place, factor])
    times = curve.sizes[place] / points.sizes[-1]
    reason = curve_trust.against(points)
    fitted = None if reason else fit(points, generator)
    reason = reason or curve_trust.against_fit(fitted)
    said = None
    if fitted is not None and not reason:
        said = forecast(fitted, 0.0, times, curve.n_dev, generator, CONFIDENCE)
        reason = said.abstains
    return Case(
        curve=f"{curve.dataset}, {curve.learner}",
        dataset=curve.dataset,
        factor=factor,
        truth=float(np.mean(curve.test[place])),
        error=(said.error if said else None) or 0.0,
        low=(said.low if said else None) or 0.0,
        high=(said.high if said else None) or 0.0,
        plain=plain_law(points.sizes, points.errors, curve.sizes[place]),
        abstains=reason,
    )


def trained(seeds: int, file: Path | None) -> list[SizeCurve]:
    """Return all curves, trained now or read from ``file``."""
    if file is not None and file.is_file():
        lines = file.read_text(encoding="utf-8").splitlines()
        return [SizeCurve(**json.loads(line)) for line in lines]
    data = Path(os.environ["GAPWISE_DATA"])
    curves = []
    for dataset, (read, n_dev) in DATASETS.items():
        rows = read(data)
        curves += [measure(dataset, learner, rows, seeds, n_dev) for learner in LEARNERS]
    if file is not None:
        file.write_text("\n".join(json.dumps(c.as_json()) for c in curves), encoding="utf-8")
    return curves


def by_curve(found: Sequence[Case], hits: Sequence[bool]) -> Interval | None:
    """Return the interval of a rate when forecasts of one curve stand or fall together."""
    names = sorted({case.curve for case in found})
    place = np.array([names.index(case.curve) for case in found])
    totals, counts = (
        np.asarray(np.bincount(place, values, len(names)), np.float64)
        for values in (np.array(hits, np.float64), np.ones(len(found)))
    )
    return clustered(Clusters(totals, counts, float(len(found))))


def _rate(found: Sequence[Case], hits: Sequence[bool]) -> str:
    one, grouped = wilson(sum(hits), len(hits)), by_curve(found, hits)
    inside = "–" if grouped is None else f"{100 * grouped.low:.0f} – {100 * grouped.high:.0f}"
    return (
        f"{100 * np.mean(hits):5.1f} ({100 * one.low:.0f} – {100 * one.high:.0f}; "
        f"by curve {inside})"
    )


def _row(label: str, everything: Sequence[Case]) -> None:
    found = [case for case in everything if not case.abstains]
    if not found:
        print(f"| {label} | 0 of {len(everything)} | – | – | – | – | – |")
        return
    widths = [100 * (case.high - case.low) for case in found]
    ours, plain = (
        100 * np.mean([abs(value - case.truth) for case, value in pairs])
        for pairs in ([(c, c.error) for c in found], [(c, c.plain) for c in found])
    )
    curves = len({case.curve for case in found})
    print(
        f"| {label} | {len(found)} of {len(everything)}, {curves} curves "
        f"| {_rate(found, [c.covers for c in found])} | {np.median(widths):.1f} "
        f"| {_rate(found, [c.better for c in found])} | {ours:.2f} | {plain:.2f} |"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Forecasts of learning curves against the truth")
    parser.add_argument("--seeds", type=int, default=3, help="seeds a size")
    parser.add_argument("--points", type=Path, help="file to keep or read the trainings' errors")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # learners that have not converged are learners too
    began = time.process_time()
    curves = trained(options.seeds, options.points)
    spent = time.process_time() - began
    found = [case for curve in curves for case in cases(curve)]
    seeds = ", ".join(map(str, range(options.seeds)))
    print(f"{len(curves)} curves, seeds {seeds}, {spent:.0f} s of processor time for trainings")
    print("rates in % with Wilson's 95 % interval, and one that takes a curve as one observation\n")
    print(
        "| curves | forecasts made | 90 % interval covers | median width, points "
        "| nearer than a plain law | mean error, points | plain law's |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    aside = [name for name in DATASETS if name not in SET_ON]
    for factor in FACTORS:
        of_factor = [case for case in found if case.factor == factor]
        for label, names in (("kept aside", aside), ("set on", SET_ON)):
            _row(f"{factor} ×, {label}", [case for case in of_factor if case.dataset in names])
        for name in aside:
            _row(f"{factor} ×, {name}", [case for case in of_factor if case.dataset == name])
    reasons = Counter((case.curve, case.abstains.split(";")[0]) for case in found if case.abstains)
    print(f"\n{sum(reasons.values())} of {len(found)} forecasts withheld:")
    for (name, reason), count in sorted(reasons.items()):
        print(f"- {name}: {reason} ({count})")


if __name__ == "__main__":
    main()
