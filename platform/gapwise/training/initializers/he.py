"""Weights for layers with ReLU (notes 3.6; He et al. 2015)."""

__all__ = ["He"]


class He:
    """Variance 2/n_in, which keeps the size of the signal through layers with ReLU."""

    def variance(self, n_in: int, n_out: int) -> float:
        """Return 2/n_in."""
        return 2 / n_in
