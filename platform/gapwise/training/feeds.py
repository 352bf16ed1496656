"""Batches from memory, or from disk by a thread that gathers the next while one trains."""

import os
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Some examples on the device: raw inputs, targets, weights (n,) or None, positions (n,)."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor | None
    positions: Tensor


class Source(Protocol):
    """What a feed gives batches of, each with n entries: prepared data, or what stands for it."""

    @property
    def inputs(self) -> NDArray[Any]:
        """(n, …), may be a memory map."""

    @property
    def targets(self) -> NDArray[Any]:
        """(n, …)."""

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """(n,) or None."""


class Feed(Protocol):
    """Gives the examples at the positions asked for, batch by batch."""

    def batches(self, positions: Sequence[Positions]) -> Generator[Batch, None, None]:
        """Give one batch for each array of positions, in their order."""


def open_feed(source: Source, device: torch.device) -> Feed:
    """Return a feed from the device's memory where the data takes less than a quarter of it."""
    if source.inputs.nbytes < memory_limit(device):
        return MemoryFeed(source, device)
    return StreamFeed(source, device)


def memory_limit(device: torch.device) -> int:
    """Return a quarter of the memory of ``device`` in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory) // 4
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4


class MemoryFeed:
    """All examples as tensors on the device; a batch is an index into them."""

    def __init__(self, source: Source, device: torch.device) -> None:
        self._device = device
        self._inputs = torch.from_numpy(np.array(source.inputs)).to(device)
        self._targets = torch.from_numpy(source.targets).to(device)
        self._weights = _weights(source, device)

    def batches(self, positions: Sequence[Positions]) -> Generator[Batch, None, None]:
        """Give one batch for each array of positions, in their order."""
        if not positions:
            return
        # One transfer an epoch: the batches are views into it.
        all_positions = torch.from_numpy(np.concatenate(positions)).to(self._device)
        sizes = [len(batch) for batch in positions]
        for index in torch.split(all_positions, sizes):
            weights = None if self._weights is None else self._weights.index_select(0, index)
            inputs = self._inputs.index_select(0, index)
            yield Batch(inputs, self._targets.index_select(0, index), weights, index)


class SharedFeed:
    """A feed from memory for several trainings that ask for the same arrays of positions in turn.

    Each batch is gathered for the first that asks, and the others are given the same.
    """

    def __init__(self, feed: MemoryFeed) -> None:
        self._feed = feed
        self._last: tuple[Positions, Batch] | None = None

    def batches(self, positions: Sequence[Positions]) -> Generator[Batch, None, None]:
        """Give one batch for each array of positions, in their order."""
        for one in positions:
            if self._last is None or self._last[0] is not one:
                self._last = one, next(self._feed.batches([one]))
            yield self._last[1]


class StreamFeed:
    """Examples from the memory map; a thread stays ``AHEAD`` batches ahead."""

    AHEAD = 2

    def __init__(self, source: Source, device: torch.device) -> None:
        self._device = device
        self._source = source.inputs
        self._targets = torch.from_numpy(source.targets).to(device)
        self._weights = _weights(source, device)

    def batches(self, positions: Sequence[Positions]) -> Generator[Batch, None, None]:
        """Give one batch for each array of positions, in their order."""
        with ThreadPoolExecutor(1, thread_name_prefix="gapwise-feed") as pool:
            waiting: Iterable[Positions] = iter(positions)
            ahead = deque(pool.submit(self._gather, p) for p in islice(waiting, self.AHEAD))
            while ahead:
                gathered: tuple[Tensor, Tensor] = ahead.popleft().result()
                ahead.extend(self._next(pool, waiting))
                yield self._on_device(*gathered)

    def _next(
        self, pool: ThreadPoolExecutor, waiting: Iterable[Positions]
    ) -> list["Future[tuple[Tensor, Tensor]]"]:
        return [pool.submit(self._gather, p) for p in islice(waiting, 1)]

    def _gather(self, positions: Positions) -> tuple[Tensor, Tensor]:
        inputs = torch.from_numpy(self._source[positions])
        index = torch.from_numpy(positions)
        if self._device.type == "cuda":
            return inputs.pin_memory(), index.pin_memory()
        return inputs, index

    def _on_device(self, inputs: Tensor, index: Tensor) -> Batch:
        inputs = inputs.to(self._device, non_blocking=True)
        index = index.to(self._device, non_blocking=True)
        weights = None if self._weights is None else self._weights.index_select(0, index)
        return Batch(inputs, self._targets.index_select(0, index), weights, index)


def _weights(source: Source, device: torch.device) -> Tensor | None:
    if source.weights is None:
        return None
    return torch.from_numpy(source.weights.astype(np.float32)).to(device)
