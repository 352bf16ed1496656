"""The numeric plan in force: threads, precision, memory format."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gapwise.errors import UsageError
from gapwise.records import NumericPlan


@contextmanager
def under(plan: NumericPlan) -> Iterator[torch.device]:
    """Set torch's threads and kernels as ``plan`` says, and set them back afterwards.

    Raises:
        UsageError: the plan's device is not here.
    """
    device = device_of(plan.device)
    threads = torch.get_num_threads()
    benchmark = torch.backends.cudnn.benchmark
    torch.set_num_threads(plan.threads)
    torch.backends.cudnn.benchmark = device.type == "cuda"
    try:
        yield device
    finally:
        torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = benchmark


def autocast(plan: NumericPlan) -> torch.autocast:
    """Return the autocast of the forward pass."""
    kind = torch.device(plan.device).type
    return torch.autocast(kind, torch.bfloat16, enabled=plan.dtype == "bfloat16")


def device_of(name: str) -> torch.device:
    """Return the device called ``name``.

    Raises:
        UsageError: it is not here.
    """
    device = torch.device(name)
    here = {
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not here.get(device.type, True):
        raise UsageError(
            f"device {name} is not here; resume on a machine that has it, or start a new run with "
            "training.device=auto"
        )
    return device
