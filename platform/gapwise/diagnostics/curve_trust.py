"""Whether a learning curve may be extrapolated: each reason against is one sentence.

Many learning curves are not well behaved (Viering and Loog 2022): they rise, peak, or stay flat. A
law fitted to such a curve says nothing of what comes after it.
"""

import numpy as np
from scipy import special

from gapwise.diagnostics.words import percent
from gapwise.statistics.power_laws import CurveDraws, SizePoints

FEWEST_SIZES = 4
LEAST_SPAN = 4.0
"""The largest size over the smallest: less is no basis to double on."""

FALLS = 0.05
"""One-sided level at which the error must fall with size."""

RISES = 0.01
"""Level, over all pairs of sizes together, at which a rise is no chance."""

MISFITS = 0.01
"""Level at which no member of any family fits."""


def against(points: SizePoints) -> str:
    """Return why no forecast is made of ``points``, "" where nothing speaks against one."""
    sizes = points.sizes
    if len(sizes) < FEWEST_SIZES:
        return (
            f"{len(sizes)} sizes were trained on and a law needs {FEWEST_SIZES} to be told from "
            "chance; train on more sizes"
        )
    if sizes[-1] < LEAST_SPAN * sizes[0]:
        return (
            f"the sizes reach from {sizes[0]:,.0f} to {sizes[-1]:,.0f} examples, less than "
            f"{LEAST_SPAN:g} times; train on smaller subsets too"
        )
    if not points.errors[-1]:
        return "the dev error is 0 at the largest size; a larger dev set is needed to see more"
    return _rises(points) or _flat(points)


def against_fit(draws: CurveDraws | None) -> str:
    """Return why a fitted curve is not trusted, "" where it is."""
    if draws is None:
        return "no law with a positive error fits the curve; train more seeds"
    freedom = max(1, draws.points - 2)
    if special.chdtrc(freedom, draws.misfit) < MISFITS:
        return (
            "no law fits the curve within its noise; look at its points, and train more sizes and "
            "seeds"
        )
    return ""


def _flat(points: SizePoints) -> str:
    """Tell a curve that does not fall: the weighted slope over the logarithm of the size."""
    weights = points.deviations**-2
    place = np.log(points.sizes)
    centred = place - np.average(place, weights=weights)
    slope = float((weights * centred * points.errors).sum() / (weights * centred**2).sum())
    deviation = float((weights * centred**2).sum() ** -0.5)
    if slope < special.ndtri(FALLS) * deviation:
        return ""
    return (
        f"the dev error does not fall with more data, from {percent(points.errors[0])} at "
        f"{points.sizes[0]:,.0f} examples to {percent(points.errors[-1])} at "
        f"{points.sizes[-1]:,.0f}, beyond its noise; more of the same data has not been seen to "
        "help"
    )


def _rises(points: SizePoints) -> str:
    """Tell the surest rise from a size to a larger one, if it is no chance (Bonferroni)."""
    first, second = np.triu_indices(len(points.sizes), 1)
    rise = points.errors[second] - points.errors[first]
    spread = np.hypot(points.deviations[first], points.deviations[second])
    worst = int((rise / spread).argmax())
    if rise[worst] / spread[worst] < -special.ndtri(RISES / len(rise)):
        return ""
    low, high = first[worst], second[worst]
    return (
        f"the dev error rises from {percent(points.errors[low])} at {points.sizes[low]:,.0f} "
        f"examples to {percent(points.errors[high])} at {points.sizes[high]:,.0f}, beyond its "
        "noise; look at the training of these sizes first"
    )
