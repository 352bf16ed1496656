"""What a network costs when it is used: time, size, arithmetic and memory (notes 4.4).

Times are of whole forward passes from raw inputs on the device, after a warm-up, each pass timed
alone and waited for. The interval of a quantile is that of order statistics (Conover 1999,
*Practical Nonparametric Statistics*, §3.2): passes are taken to be independent, which on a busy
machine they are but roughly.
"""

import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gapwise.networks.describe import describe
from gapwise.records import NumericPlan
from gapwise.training.crops import Crops, outputs_of_crops
from gapwise.training.learner import evaluating, ready
from gapwise.training.model import Model
from gapwise.training.numerics import autocast, under

WARM_UP_SECONDS = 0.5
WARM_UP_PASSES = 10
MOST_SECONDS = 3.0
PASSES = (60, 300)
CONFIDENCE = 0.95
MEGA = 1e6


@dataclass(frozen=True, kw_only=True)
class Quantile:
    """A quantile of the times of a pass in milliseconds, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What one network costs under a stated plan.

    Attributes:
        latency_p50_ms, latency_p95_ms: of one pass of a batch.
        size_mb: parameters and buffers, millions of bytes.
        parameters, macs: of one example's forward pass.
        memory_mb: parameters and buffers, and the most that was alive beside them in one pass.
        passes: how many were timed.
        batch, crops: examples a pass, and crops of each.
        device, dtype, threads: what it ran on.
    """

    latency_p50_ms: Quantile
    latency_p95_ms: Quantile
    size_mb: float
    parameters: int
    macs: int
    memory_mb: float
    passes: int
    batch: int
    crops: int
    device: str
    dtype: str
    threads: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values, which ``read`` takes back."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Costs":
        """Return what ``as_json`` gave.

        Raises:
            KeyError, TypeError: a value is missing or unknown.
        """
        times = ("latency_p50_ms", "latency_p95_ms")
        return cls(**{**document, **{name: Quantile(**document[name]) for name in times}})


def costs(model: Model, plan: NumericPlan, batch: int = 1, crops: Crops | None = None) -> Costs:
    """Measure a model for batches of ``batch`` raw inputs; it is back on the CPU afterwards.

    Raises:
        UsageError: the plan's device is not here.
    """
    crops = crops or Crops()
    held = sum(t.nbytes for t in (*model.parameters(), *model.buffers()))
    described = describe(model.network, model.spec.input_shape)
    with under(plan) as device, evaluating(ready(model, plan)):
        inputs = _inputs(model.spec.input_shape, batch).to(device)

        def forward() -> Tensor:
            with autocast(plan):
                return outputs_of_crops(model, inputs, crops)

        times = timed(forward, device)
        with Alive() as alive:
            forward()
    model.to("cpu")
    return Costs(
        latency_p50_ms=quantile(times, 0.5),
        latency_p95_ms=quantile(times, 0.95),
        size_mb=held / MEGA,
        parameters=described.parameters,
        macs=described.macs,
        memory_mb=(held + alive.most) / MEGA,
        passes=len(times),
        batch=batch,
        crops=crops.count,
        device=plan.device,
        dtype=plan.dtype,
        threads=plan.threads,
    )


def timed(forward: Callable[[], Any], device: torch.device) -> NDArray[np.float64]:
    """Return the milliseconds of single passes, those of the warm-up left out."""
    begun = time.perf_counter()
    warm = 0
    while warm < WARM_UP_PASSES or time.perf_counter() - begun < WARM_UP_SECONDS:
        forward()
        warm += 1
    _wait(device)
    least, most = PASSES
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < least or (len(times) < most and time.perf_counter() - begun < MOST_SECONDS):
        start = time.perf_counter()
        forward()
        _wait(device)
        times.append(1000 * (time.perf_counter() - start))
    return np.array(times)


def quantile(times: NDArray[np.float64], share: float) -> Quantile:
    """Return a quantile of ``times`` (n,) with the interval of order statistics."""
    ordered = np.sort(times)
    n = len(ordered)
    ends = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    low, high = (int(stats.binom.ppf(end, n, share)) for end in ends)
    return Quantile(
        value=float(np.quantile(ordered, share)),
        low=float(ordered[max(0, low - 1)]),
        high=float(ordered[min(n - 1, high)]),
    )


class Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not type it
    """Counts the bytes of the tensors that operations make while they are alive.

    Attributes:
        most: the most bytes that were alive at once.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most = 0
        self._now = 0
        self._known: dict[int, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation and count what it made."""
        given = {_address(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, Tensor) and _address(leaf) not in given:
                self._count(leaf.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        address = storage.data_ptr()
        if not address or address in self._known:
            return
        self._known[address] = storage.nbytes()
        self._now += storage.nbytes()
        self.most = max(self.most, self._now)
        weakref.finalize(storage, self._gone, address)

    def _gone(self, address: int) -> None:
        self._now -= self._known.pop(address, 0)


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _inputs(shape: tuple[int, ...], batch: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    if len(shape) == 3:
        return torch.randint(0, 256, (batch, *shape), dtype=torch.uint8, generator=generator)
    return torch.randn((batch, *shape), generator=generator)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
