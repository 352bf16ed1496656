"""Polynomial features: what makes a linear network fit curves (notes 1.1)."""

from bisect import bisect_left
from math import comb, prod

import torch
from torch import Tensor, nn

from gapwise.errors import PipelineError
from gapwise.networks.base import Chain

MOST_FEATURES = 1_000_000
"""More need gigabytes a batch."""


class Polynomial(nn.Module):
    """All products of 1 to ``degree`` inputs, each input as often as it likes.

    n inputs give C(n + degree, degree) − 1 features: (n, n²/2, n³/6, …) by degree.
    """

    def __init__(self, inputs: int, degree: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.degree = degree
        self.features = comb(inputs + degree, degree) - 1
        # Products of one degree are those of the degree below, times an input that is not behind
        # their first one: each product arises once. Which ones these are no weights file must know.
        firsts = list(range(inputs))
        for power in range(2, degree + 1):
            pairs = [
                (i, j) for i in range(inputs) for j in range(bisect_left(firsts, i), len(firsts))
            ]
            firsts = [i for i, _ in pairs]
            for side, positions in zip(("left", "right"), zip(*pairs, strict=True), strict=True):
                self.register_buffer(f"{side}{power}", torch.tensor(positions), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, features) for x: (batch, inputs), products of fewer inputs first."""
        powers = [x]
        for power in range(2, self.degree + 1):
            left, right = self.get_buffer(f"left{power}"), self.get_buffer(f"right{power}")
            powers.append(x[:, left] * powers[-1][:, right])
        return torch.cat(powers, 1)


class LinearUnits(Chain):
    """Linear units on the inputs and their products; images are flattened.

    The weights begin at 0: the cost is convex, so that no symmetry is to break (notes 1.7.2).
    """

    def __init__(
        self, *, name: str, input_shape: tuple[int, ...], outputs: int, degree: int
    ) -> None:
        super().__init__()
        inputs = prod(input_shape)
        _check(name, inputs, degree)
        self.append(flatten=nn.Flatten())
        if degree > 1:
            self.append(polynomial=Polynomial(inputs, degree))
        self.append(output=nn.Linear(comb(inputs + degree, degree) - 1, outputs))
        for weight in self.parameters():
            nn.init.zeros_(weight)


def _check(name: str, inputs: int, degree: int) -> None:
    if degree < 1:
        raise ValueError(f"degree is {degree}, but must be at least 1")
    features = comb(inputs + degree, degree) - 1
    if features > MOST_FEATURES:
        raise PipelineError(
            f"network {name}: degree {degree} of {inputs:,} inputs makes {features:,} features, "
            f"more than {MOST_FEATURES:,}; take a smaller degree, or network multilayer-perceptron"
        )
