"""Weights for layers with tanh (notes 3.6; Glorot and Bengio 2010)."""

from typing import Literal

__all__ = ["Xavier"]


class Xavier:
    """Variance 1/n_in, or 2/(n_in + n_out): the signal keeps its size through layers with tanh.

    Args:
        mode: ``in`` is 1/n_in; ``both`` is 2/(n_in + n_out), which heeds the gradient's size too.
    """

    def __init__(self, *, mode: Literal["in", "both"] = "in") -> None:
        self.mode = mode

    def variance(self, n_in: int, n_out: int) -> float:
        """Return 1/n_in or 2/(n_in + n_out)."""
        return 1 / n_in if self.mode == "in" else 2 / (n_in + n_out)
