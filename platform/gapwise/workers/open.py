"""From a word to a place of work: a count, ``in-process``, or the address of a Ray cluster."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from gapwise.errors import UsageError, shown
from gapwise.workers.base import Workers
from gapwise.workers.in_process import InProcess
from gapwise.workers.local import LocalProcesses

IN_PROCESS = "in-process"


@contextmanager
def open_workers(
    where: str, device: str, cores: int, asked: Callable[[], bool] = lambda: False
) -> Iterator[Workers]:
    """Open a place of work for the time of the block; no process of it is left behind.

    Args:
        where: how many local processes, ``in-process``, ``ray`` or ``ray://HOST:PORT``; "" for one
            process a core, or one a GPU.
        device: what jobs run on, as a numeric plan names it.
        cores: of this machine.
        asked: whether somebody asked this process to stop.

    Raises:
        UsageError: it is none of these, or Ray is not installed.
    """
    place = where.strip()
    workers = InProcess(asked) if place == IN_PROCESS else _opened(place, device, cores)
    try:
        yield workers
    finally:
        workers.close()


def _opened(where: str, device: str, cores: int) -> Workers:
    if where.startswith("ray"):
        from gapwise.workers.ray_cluster import RayCluster

        return RayCluster(where, device)
    if not where:
        return LocalProcesses(_slots(device, cores))
    if not where.isdecimal() or not 1 <= int(where) <= 1024:
        raise UsageError(
            f"workers are {shown(where)!r}; write how many local processes (1 to 1024), "
            f"{IN_PROCESS}, ray, or ray://HOST:PORT"
        )
    slots = _slots(device, int(where))
    return LocalProcesses([slots[i % len(slots)] for i in range(int(where))])


def _slots(device: str, cores: int) -> list[Mapping[str, str]]:
    """Return the environment of each slot: a GPU each, or nothing more than a core."""
    if not device.startswith("cuda"):
        return [{} for _ in range(cores)]
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        ids = [one.strip() for one in named.split(",") if one.strip()]
    else:
        ids = [str(i) for i in range(_gpus())]
    return [{"CUDA_VISIBLE_DEVICES": one} for one in ids or ["0"]]


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()
