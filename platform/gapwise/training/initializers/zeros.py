"""All weights 0: what one must not do (notes 1.7.2)."""

__all__ = ["Zeros"]


class Zeros:
    """All weights 0, to show symmetry: all units of a layer stay equal, whatever is trained."""

    def variance(self, n_in: int, n_out: int) -> float:
        """Return 0."""
        return 0.0
