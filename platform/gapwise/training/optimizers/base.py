"""The family of optimizers.

A member is called with ``(groups, fused, *, options…)``: torch's parameter groups, and whether
torch's fused kernels serve the device; it gives a ``torch.optim.Optimizer``. The option ``lr`` is
the rate that the schedule scales.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypedDict

from torch.optim import Optimizer

from gapwise.registry import Family

Groups = Iterable[dict[str, Any]]
OPTIMIZERS: Family[Callable[..., Optimizer]] = Family("gapwise.optimizers", "optimizer")


class Kernels(TypedDict):
    """Which of torch's implementations runs; a loop over the tensors is the slowest."""

    fused: bool | None
    foreach: bool | None


def kernels(fused: bool) -> Kernels:
    """Return torch's flags for fused kernels, else for kernels over all tensors at once."""
    return {"fused": True, "foreach": None} if fused else {"fused": None, "foreach": True}


def checked_decay(name: str, value: float) -> float:
    """Return ``value``, the decay of an average or a velocity.

    Raises:
        ValueError: it is not in [0, 1): torch refuses 1 and more for Adam alone.
    """
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value:g}, but must be at least 0 and less than 1")
    return value
