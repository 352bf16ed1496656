"""Small random weights (notes 1.7.2)."""

__all__ = ["SmallRandom"]


class SmallRandom:
    """Weights of one small deviation everywhere, which breaks symmetry.

    In deep networks the signal shrinks from layer to layer; He and Xavier heed the layers' sizes.

    Args:
        deviation: standard deviation of the weights.
    """

    def __init__(self, *, deviation: float = 0.01) -> None:
        if deviation < 0:
            raise ValueError(f"deviation is {deviation:g}, but must be at least 0")
        self.deviation = deviation

    def variance(self, n_in: int, n_out: int) -> float:
        """Return the square of the deviation."""
        return self.deviation**2
