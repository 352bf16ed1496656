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
