"""One network trained by several processes, as ``torchrun`` starts them.

Every batch is cut between the processes; their gradients are added up in one collective a step,
batch norm looks at the whole batch, and so the numbers are those of one process up to the order of
sums. Process 0 leads: it alone reads pipelines, tracks, saves and speaks, and sends the others the
jobs that they take part in.

The gradients travel in one flat piece after the backward pass. torch's ``DistributedDataParallel``
would send them while it runs, but averages them: batches cut unevenly, example weights, parts of a
batch and layers that freeze and thaw would each need a way around it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gapwise.records import Job

WAIT = timedelta(minutes=30)
"""How long a process waits for another: as long as the leader may need to prepare data."""


@dataclass(frozen=True)
class World:
    """The processes that train together now, and which of them this is."""

    rank: int = 0
    size: int = 1


ALONE = World()
_now = ALONE


def world() -> World:
    """Return the processes that train together; one, where a job is not shared."""
    return _now


def started() -> int:
    """Return how many processes ``torchrun`` started for this training; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def on_this_machine() -> int:
    """Return how many of them run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if started() > 1 else 1


@contextmanager
def group() -> Iterator[World]:
    """Join the processes that ``torchrun`` started, nccl on GPUs and gloo on CPUs."""
    if started() == 1:
        yield ALONE
        return
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if cuda else "gloo", timeout=WAIT)
    try:
        yield World(dist.get_rank(), dist.get_world_size())
        if dist.get_rank() == 0:
            _send(None)
    finally:
        dist.destroy_process_group()


@contextmanager
def together(job: Job, force: bool) -> Iterator[None]:
    """Train ``job`` with every process of the group; the leader sends it to the others."""
    global _now
    if not dist.is_initialized():
        yield
        return
    if dist.get_rank() == 0:
        _send((job, force))
    _now = World(dist.get_rank(), dist.get_world_size())
    try:
        yield
    finally:
        _now = ALONE


def follow(run: Callable[[Job, bool], Any]) -> None:
    """Take part in every job that the leader sends, until it has no more."""
    while (sent := _received()) is not None:
        run(*sent)


def _send(value: tuple[Job, bool] | None) -> None:
    dist.broadcast_object_list([value], src=0)


def _received() -> tuple[Job, bool] | None:
    box: list[Any] = [None]
    dist.broadcast_object_list(box, src=0)
    value: tuple[Job, bool] | None = box[0]
    return value


def cut_for_this_process(positions: Any) -> Any:
    """Return this process's share of the positions (n,) of a batch; it may be empty."""
    here = world()
    first = len(positions) * here.rank // here.size
    return positions[first : len(positions) * (here.rank + 1) // here.size]


def added(value: Tensor) -> Tensor:
    """Return the sum of ``value`` over the processes; no gradient passes."""
    if world().size > 1:
        value = value.clone()
        dist.all_reduce(value)
    return value


def added_up(value: Tensor | int, device: torch.device) -> Tensor | int:
    """Return the sum of a number over the processes."""
    if world().size == 1:
        return value
    return added(torch.as_tensor(value, dtype=torch.float32, device=device))


def add_gradients(parameters: Sequence[Tensor], *others: Tensor) -> tuple[Tensor, ...]:
    """Add up the gradients of all processes in place; return ``others`` (scalars) added up too."""
    if world().size == 1:
        return others
    # A layer that this process's examples passed by has no gradient here, but may elsewhere.
    gradients = [_gradient(p) for p in parameters if p.requires_grad]
    flat = torch.cat([g.reshape(-1).float() for g in (*gradients, *others)])
    dist.all_reduce(flat)
    pieces = torch.split(flat, [g.numel() for g in (*gradients, *others)])
    for gradient, piece in zip(gradients, pieces, strict=False):
        gradient.copy_(piece.view_as(gradient))
    return tuple(piece[0] for piece in pieces[len(gradients) :])


def _gradient(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


class _Added(torch.autograd.Function):
    """A sum over the processes, whose gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        """Return the sum."""
        return added(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the sum of what each process's loss says of the sum."""
        return added(gradient.contiguous())


def _added_with_gradient(value: Tensor) -> Tensor:
    total: Tensor = _Added.apply(value)  # type: ignore[no-untyped-call]
    return total


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the examples of all processes, on CPUs and GPUs.

    torch's ``SyncBatchNorm`` runs on GPUs alone. Outside of shared training it is torch's own.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, x: Tensor) -> Tensor:
        """Return x: (batch, channels, …) normalised by channel."""
        if not self.training or world().size == 1:
            return super().forward(x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        wide = x.float()
        count = added(torch.tensor(float(x.numel() // x.shape[1]), device=x.device))
        sums = _added_with_gradient(wide.sum(axes))
        mean = sums / count
        centred = wide - mean.view(shape)
        squares = _added_with_gradient(centred.square().sum(axes))
        variance = squares / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1).clamp_min(1))
        scaled = centred * torch.rsqrt(variance + self.eps).view(shape)
        return (scaled * self.weight.view(shape) + self.bias.view(shape)).to(x.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running averages, as torch's own do (notes 3.16)."""
        assert self.running_mean is not None
        assert self.running_var is not None
        momentum = 0.0 if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def share_batch_norm(model: nn.Module) -> None:
    """Let every batch norm look at the whole batch; weights and names stay as they are."""
    if world().size == 1:
        return
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if type(child) in (nn.BatchNorm1d, nn.BatchNorm2d):
                setattr(parent, name, _shared(child))


def _shared(norm: nn.Module) -> SharedBatchNorm:
    made = SharedBatchNorm(1)
    made.__dict__.update(norm.__dict__)
    return made
