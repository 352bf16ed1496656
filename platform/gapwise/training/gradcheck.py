"""Gradient checking: backpropagation against two-sided differences (notes 1.7.1 and 3.7).

The step is 10⁻⁶ in float64. Measured on the shipped networks, the relative difference of correct
gradients is then 10⁻⁸ at most: the notes' 10⁻⁷ leaves ten times the rounding, and with their 10⁻⁴
(1.7.1) a ReLU or a pooling somewhere switches inside the step.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapwise.training.draws import hashed, key

Verdict = Literal["fine", "look", "wrong", "unchecked"]
Cost = Callable[[], Tensor]

EPSILON = 1e-6
FINE, WRONG = 1e-6, 1e-4
"""The notes' 10⁻⁷ is fine, 10⁻⁵ wants a look, 10⁻³ is wrong: the borders lie between."""

ROUNDINGS = 64
"""Rounding errors that a cost gathers on its way through a network, at most."""

TRIES = 3
"""Coordinates looked at for each one wanted, at most, where some have kinks."""


@dataclass(frozen=True, kw_only=True)
class CheckedParameter:
    """How the gradient of one parameter compares.

    Attributes:
        name: the parameter.
        shape: its shape.
        checked: coordinates that were compared.
        kinks: coordinates left out, as the cost has a kink within the step (ReLU, max pooling).
        difference: ‖a − b‖ / (‖a‖ + ‖b‖) of the gradient by backpropagation and by differences.
        verdict: ``fine`` below 10⁻⁶ or where ‖a − b‖ is rounding, ``wrong`` above 10⁻⁴, ``look``
            between; ``unchecked`` where every coordinate has a kink.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    kinks: int
    difference: float
    verdict: Verdict


class GradientCheck:
    """Compares gradients coordinate by coordinate.

    Args:
        cost: gives the cost at the parameters' present values, a float64 scalar; the same at every
            call.
        coordinates: how many of each parameter are compared; None compares all.
        seed: decides which.
    """

    def __init__(self, cost: Cost, *, coordinates: int | None, seed: int) -> None:
        self._cost = cost
        self._coordinates = coordinates
        self._seed = seed
        self._here = self._value()
        scale = max(abs(self._here), 1.0)
        self._rounding = ROUNDINGS * torch.finfo(torch.float64).eps * scale / EPSILON

    def parameter(self, name: str, value: Tensor, gradient: Tensor) -> CheckedParameter:
        """Compare ``gradient`` with differences of the cost; ``value`` ends as it began.

        Args:
            name: the parameter's name.
            value: the parameter itself, float64, on the CPU; its entries are moved one by one.
            gradient: what backpropagation says, of the same shape.
        """
        wanted = value.numel() if self._coordinates is None else self._coordinates
        pairs: list[tuple[float, float]] = []
        kinks = 0
        for index in self._places(name, value.numel(), wanted):
            if len(pairs) == wanted:
                break
            place = tuple(map(int, np.unravel_index(index, tuple(value.shape))))
            claimed = float(gradient[place])
            slope = self._slope(value, place, claimed)
            if slope is None:
                kinks += 1
            else:
                pairs.append((claimed, slope))
        difference, verdict = self._judged(np.array(pairs).reshape(-1, 2))
        return CheckedParameter(
            name=name,
            shape=tuple(value.shape),
            checked=len(pairs),
            kinks=kinks,
            difference=difference,
            verdict=verdict,
        )

    def _places(self, name: str, size: int, wanted: int) -> Iterable[int]:
        """Return where to look: everywhere, or some more places than wanted, as some have kinks."""
        draws = TRIES * wanted
        if draws >= size:
            return range(size)
        counters = np.arange(draws, dtype=np.int64)
        return dict.fromkeys((hashed(counters, key("gradcheck", self._seed, name)) % size).tolist())

    def _slope(self, value: Tensor, place: tuple[int, ...], claimed: float) -> float | None:
        """Return the two-sided difference along one coordinate; None where the cost has a kink."""
        for step in (EPSILON, EPSILON / 10):
            slope, bend = self._around(value, place, step)
            apart = abs(slope - claimed)
            rounding = self._rounding * EPSILON / step
            if not isfinite(apart) or apart <= rounding + FINE * (abs(slope) + abs(claimed)):
                return slope
            if self._is_smooth(value, place, step, (slope, bend), apart):
                return slope
        return None

    def _is_smooth(
        self,
        value: Tensor,
        place: tuple[int, ...],
        step: float,
        whole: tuple[float, float],
        apart: float,
    ) -> bool:
        """Return whether the cost itself, halving the step, cannot explain a gap of ``apart``.

        Slopes of a smooth cost stay and its second differences fall to a quarter; across a kink one
        of the two does not, by at least a quarter of the error that the kink makes.
        """
        slope, bend = self._around(value, place, step / 2)
        return max(abs(whole[0] - slope), abs(whole[1] - 4 * bend) / step) < apart / 8

    def _around(self, value: Tensor, place: tuple[int, ...], step: float) -> tuple[float, float]:
        """Return the two-sided slope and the second difference."""
        before = float(value.detach()[place])
        with torch.no_grad():
            value[place] = before + step
            above = self._value()
            value[place] = before - step
            below = self._value()
            value[place] = before
        return (above - below) / (2 * step), above + below - 2 * self._here

    def _judged(self, pairs: NDArray[np.float64]) -> tuple[float, Verdict]:
        if not len(pairs):
            return 0.0, "unchecked"
        difference = relative_difference(pairs[:, 0], pairs[:, 1])
        apart = float(np.linalg.norm(pairs[:, 0] - pairs[:, 1]))
        if difference < FINE or apart <= self._rounding * sqrt(len(pairs)):
            return difference, "fine"
        # Not-a-number is no agreement.
        return difference, "look" if difference < WRONG else "wrong"

    def _value(self) -> float:
        with torch.no_grad():
            return float(self._cost())


def relative_difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return ‖a − b‖ / (‖a‖ + ‖b‖) (notes 3.7); 0 where both are 0."""
    norms = float(np.linalg.norm(a) + np.linalg.norm(b))
    return float(np.linalg.norm(a - b)) / norms if norms else 0.0
