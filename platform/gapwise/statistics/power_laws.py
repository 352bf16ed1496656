"""Families of learning curves, and their average: what the error will be with more examples.

Every family is level + height × shape(n), with a shape that falls from 1 at the largest size
measured. Power laws: Cortes, Jackel, Solla, Vapnik and Denker (1994), "Learning curves: asymptotic
values and rate of convergence"; Hestness et al. (2017), "Deep learning scaling is predictable,
empirically"; Rosenfeld, Rosenfeld, Belinkov and Shavit (2020), "A constructive prediction of the
generalization error across scales". Weibull's and MMF's: Viering and Loog (2022), "The shape of
learning curves: a review". Averaged by their evidence: Hoeting, Madigan, Raftery and Volinsky
(1999), "Bayesian model averaging: a tutorial".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Numbers = NDArray[np.float64]
Shape = Callable[[Numbers, Numbers, Numbers], Numbers]

GRID = 256
"""Shapes tried of each family: a lattice over its prior."""

DRAWS = 4_000

MISFIT = 0.02
"""Deviation of a true curve from its family, as a share of the error: no curve is a power law."""

DRIFT = 0.08
"""Deviation of the logarithm of the error that each doubling beyond the data adds."""

_OVERSAMPLED = 8
_LATTICE = 0.6180339887498949


@dataclass(frozen=True)
class SizePoints:
    """Errors by size.

    Attributes:
        sizes: (k,) examples trained on, rising.
        errors: (k,) mean over seeds, as fractions of 1.
        deviations: (k,) standard error of each mean; above 0.
    """

    sizes: Numbers
    errors: Numbers
    deviations: Numbers


@dataclass(frozen=True)
class _Family:
    """One family: its shape as a function of size / largest size and two shape parameters.

    Attributes:
        shape: (sizes (k, 1), first (1, s), second (1, s)) → (k, s); scaled to 1 at size 1.
        has_level: whether the error may stay above 0 with endless data.
        second: logarithmic mean and deviation of the second parameter's prior.
    """

    shape: Shape
    has_level: bool = True
    second: tuple[float, float] = (0.0, 0.0)


EXPONENT = (float(np.log(0.8)), 0.6)
"""Logarithmic mean and deviation of the exponent's prior: most curves fall by n^−0.3 to n^−2."""

LEVEL = (0.55, 0.35)
"""Mean and deviation of the part of the last error that no data takes away, before a cut at 0."""


def _power(n: Numbers, c: Numbers, _: Numbers) -> Numbers:
    return n**-c


def _shifted(n: Numbers, c: Numbers, d: Numbers) -> Numbers:
    return ((n + d) / (1 + d)) ** -c


def _weibull(n: Numbers, c: Numbers, rate: Numbers) -> Numbers:
    return np.exp(-rate * (n**c - 1))


def _mmf(n: Numbers, c: Numbers, middle: Numbers) -> Numbers:
    return (1 + (1 / middle) ** c) / (1 + (n / middle) ** c)


FAMILIES: Mapping[str, _Family] = {
    "b n^-c": _Family(_power, has_level=False),
    "a + b n^-c": _Family(_power),
    "a + b (n + d)^-c": _Family(_shifted, second=(float(np.log(0.1)), 1.2)),
    "a + b exp(-d n^c)": _Family(_weibull, second=(float(np.log(1.0)), 1.0)),
    "a + b / (1 + (n/d)^c)": _Family(_mmf, second=(float(np.log(0.1)), 1.2)),
}


@dataclass(frozen=True)
class CurveDraws:
    """A learning curve as draws from its posterior, an entry a draw.

    Attributes:
        largest: the largest size measured.
        family: (d,) position in ``FAMILIES``.
        level, height, first, second, drift: (d,) parameters; drift in standard deviations.
        misfit: χ² of the best member of any family, and ``points`` the sizes that it is of.
    """

    largest: float
    rising: bool
    family: NDArray[np.int64]
    level: Numbers
    height: Numbers
    first: Numbers
    second: Numbers
    drift: Numbers
    misfit: float
    points: int

    def at(self, size: float) -> Numbers:
        """Return (d,) errors at ``size``, within [0, 1]; beyond the data they drift apart."""
        ratio = np.array([[size / self.largest]])
        shape = np.empty(len(self.family))
        for position, family in enumerate(FAMILIES.values()):
            own = self.family == position
            shape[own] = family.shape(ratio, self.first[None, own], self.second[None, own])[0]
        sign = -1.0 if self.rising else 1.0
        beyond = max(0.0, float(np.log2(ratio[0, 0])))
        error = (self.level + sign * self.height * shape) * np.exp(DRIFT * beyond * self.drift)
        return np.asarray(np.clip(error, 0.0, 1.0), np.float64)

    def shares(self) -> dict[str, float]:
        """Return each family's posterior probability."""
        counts = np.bincount(self.family, minlength=len(FAMILIES))
        return dict(zip(FAMILIES, (counts / counts.sum()).tolist(), strict=True))

    def of_family(self, name: str) -> NDArray[np.bool_]:
        """Return (d,) which draws are of one family."""
        return np.asarray(self.family == list(FAMILIES).index(name))


def fit(
    points: SizePoints, generator: np.random.Generator, *, rising: bool = False
) -> CurveDraws | None:
    """Average all families over ``points`` by their evidence; None when no member is possible.

    Given its shape a curve is linear in level and height, whose normal prior (cut at 0, in units of
    the last error) makes posterior and evidence exact; shapes are a lattice over their prior.

    Args:
        points: at least two sizes.
        generator: source of the draws.
        rising: fit level − height × shape, as train errors rise with more data.
    """
    parts = [_posterior(family, points, rising) for family in FAMILIES.values()]
    evidence = np.stack([part.evidence for part in parts])
    weights = np.exp(evidence - evidence.max())
    chosen = generator.choice(weights.size, DRAWS * _OVERSAMPLED, p=(weights / weights.sum()).flat)
    family, member = np.divmod(chosen, GRID)
    means = np.stack([part.means for part in parts])[family, member]
    factors = np.stack([part.factors for part in parts])[family, member]
    noise = generator.standard_normal((len(chosen), 2))
    values = means + np.einsum("dij,dj->di", factors, noise)
    good = np.flatnonzero((values >= 0).all(axis=1))[:DRAWS]
    if not len(good):
        return None
    first = np.stack([part.first for part in parts])[family, member]
    second = np.stack([part.second for part in parts])[family, member]
    return CurveDraws(
        largest=float(points.sizes[-1]),
        rising=rising,
        family=family[good],
        level=values[good, 0],
        height=values[good, 1],
        first=first[good],
        second=second[good],
        drift=generator.standard_normal(len(good)),
        misfit=float(min(part.misfit.min() for part in parts)),
        points=len(points.sizes),
    )


@dataclass(frozen=True)
class _Posterior:
    """What the points say of each shape (s,) of one family; ``factors`` are Cholesky's."""

    evidence: Numbers
    means: Numbers
    factors: Numbers
    first: Numbers
    second: Numbers
    misfit: Numbers


def _posterior(family: _Family, points: SizePoints, rising: bool) -> _Posterior:
    first, second = _lattice(family)
    n = (points.sizes / points.sizes[-1])[:, None]
    scale = max(float(points.errors[-1]), float(points.deviations[-1]))
    sign = -1.0 if rising else 1.0
    shapes = family.shape(n, first[None], second[None])
    design = np.stack([np.ones_like(shapes), sign * shapes]).transpose(2, 1, 0)
    mean, deviation = _prior(family, scale, rising)
    noise = points.deviations**2 + (MISFIT * points.errors) ** 2
    precision = 1 / deviation**2
    weighted = design / noise[None, :, None]
    inverse = np.linalg.inv(np.einsum("ski,skj->sij", weighted, design) + np.diag(precision))
    residual = points.errors - design @ mean
    pull = np.einsum("ski,sk->si", weighted, residual)
    shift = np.einsum("sij,sj->si", inverse, pull)
    fitted = residual - np.einsum("ski,si->sk", design, shift)
    chi = (fitted**2 / noise).sum(axis=1)
    penalty = (shift**2 * precision).sum(axis=1)
    volume = np.linalg.slogdet(inverse)[1] + np.log(precision).sum()
    possible = float(special.log_ndtr(mean / deviation).sum())
    return _Posterior(
        evidence=(volume - chi - penalty) / 2 - possible,
        means=mean + shift,
        factors=np.linalg.cholesky(inverse),
        first=first,
        second=second,
        misfit=chi,
    )


def _prior(family: _Family, scale: float, rising: bool) -> tuple[Numbers, Numbers]:
    """Return means and deviations of level and height."""
    if rising:
        return scale * np.array([1.3, 0.3]), scale * np.array([0.5, 0.5])
    level, spread = LEVEL if family.has_level else (1e-6, 1e-6)
    return scale * np.array([level, 1 - level]), scale * np.array([spread, 0.5])


def _lattice(family: _Family) -> tuple[Numbers, Numbers]:
    """Return (GRID,) first and second parameters, spread evenly over their priors."""
    steps = (np.arange(GRID) + 0.5) / GRID
    turned = (0.5 + _LATTICE * np.arange(GRID)) % 1.0
    middle, deviation = family.second
    first = np.exp(EXPONENT[0] + EXPONENT[1] * stats.norm.ppf(steps))
    return first, np.exp(middle + deviation * stats.norm.ppf(turned))
