"""The constant learning rate."""

__all__ = ["Constant"]


class Constant:
    """The optimizer's learning rate throughout."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return 1."""
        return 1.0
