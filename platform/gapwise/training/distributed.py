"""One network trained by several processes, as ``torchrun`` starts them.

Every batch is cut between the processes; their gradients are added up in one collective a step,
batch norm looks at the whole batch and dropout draws for it, and so the numbers are those of one
process up to the order of sums. Process 0 leads: it alone reads pipelines, tracks, saves and
decides, and sends the others the jobs that they take part in.

The gradients travel in one flat piece after the backward pass. torch's ``DistributedDataParallel``
would send them while it runs, but averages them: batches cut unevenly, example weights, parts of a
batch and layers that freeze and thaw would each need a way around it.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous

from gapwise.errors import TrainingError, UsageError
from gapwise.records import Job, NumericPlan, plain
from gapwise.training.feeds import Positions

WAIT = timedelta(minutes=10)
"""How long a process waits for another inside a training before it gives up."""

LOOK_SECONDS = 0.1
"""Seconds between two looks for the leader's next job; preparing data may take it hours."""


@dataclass(frozen=True)
class World:
    """The processes that train together now, and which of them this is."""

    rank: int = 0
    size: int = 1


ALONE = World()
_now = ALONE
_store: Any = None
_examples = 0
_failing = False


def world() -> World:
    """Return the processes that train together now; one, where a job is not shared."""
    return _now


def started() -> int:
    """Return how many processes ``torchrun`` started for this training; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def on_this_machine() -> int:
    """Return how many of them run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if started() > 1 else 1


@contextmanager
def group() -> Iterator[World]:
    """Join the processes that ``torchrun`` started: gloo for CPUs, nccl for GPUs.

    The leader's end without an error is the others', too.

    Raises:
        TrainingError: the processes do not find each other.
    """
    global _store
    if started() == 1:
        yield ALONE
        return
    gpu = int(os.environ["LOCAL_RANK"])
    if gpu < torch.cuda.device_count():
        torch.cuda.set_device(gpu)
    with _answered():
        _store, rank, size = next(rendezvous("env://", timeout=WAIT))
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
            store=dist.PrefixStore("collectives", _store),  # type: ignore[attr-defined]
            rank=rank,
            world_size=size,
            timeout=WAIT,
        )
    yield World(rank, size)
    if rank == 0:
        _send(None)
    # After an error the connections break with the process: taking leave could wait for the others.
    dist.destroy_process_group()
    _store = None


def fails_first() -> bool:
    """Note that this process fails; return whether no other did before.

    One failure takes all processes along, and its cause is told by the first.
    """
    global _failing
    _failing = True
    try:
        return _store is None or _store.add("failures", 1) == 1
    except RuntimeError:  # the store went with torchrun, which tells of that itself
        return False


def failing() -> bool:
    """Return whether this process has failed, and is about to end with a word on why."""
    return _failing


@contextmanager
def together(job: Job, force: bool) -> Iterator[None]:
    """Train ``job`` with every process of the group; the leader sends it to the others.

    Raises:
        UsageError: there are not as many GPUs as processes.
    """
    global _now
    if not dist.is_initialized():
        yield
        return
    _check_devices(job.plan)
    if dist.get_rank() == 0:
        _send((job, force))
    _now = World(dist.get_rank(), dist.get_world_size())
    try:
        yield
    finally:
        _now = ALONE


def follow(run: Callable[[Job, bool], Any]) -> None:
    """Take part in every job that the leader sends, until it has no more."""
    number = 0
    while (sent := _received(number)) is not None:
        run(*sent)
        number += 1


_sent = 0


def _send(value: tuple[Job, bool] | None) -> None:
    global _sent
    assert _store is not None
    document = None if value is None else [plain(asdict(value[0])), value[1]]
    _store.set(f"job {_sent}", json.dumps(document))
    _sent += 1


def _received(number: int) -> tuple[Job, bool] | None:
    assert _store is not None
    while not _store.check([f"job {number}"]):
        time.sleep(LOOK_SECONDS)
    document = json.loads(_store.get(f"job {number}"))
    if document is None:
        return None
    fields, force = document
    return Job(plan=NumericPlan(**fields.pop("plan")), **fields), force


def _check_devices(plan: NumericPlan) -> None:
    device = torch.device(plan.device)
    here, gpus = on_this_machine(), torch.cuda.device_count()
    if device.type == "mps" or device.index is not None:
        raise UsageError(
            f"training.device={plan.device} is one device, but {started()} processes train; "
            "write training.device=cuda for a GPU each, or cpu"
        )
    if device.type == "cuda" and here > gpus:
        raise UsageError(
            f"{here} processes were started on a machine with {gpus} GPUs, and each needs one; "
            f"start torchrun with --nproc-per-node {gpus}, or train with training.device=cpu"
        )


@contextmanager
def part_of(examples: int) -> Iterator[None]:
    """State that the processes' next examples are together one part of a batch, of that many."""
    global _examples
    _examples = examples
    try:
        yield
    finally:
        _examples = 0


def examples_together() -> int:
    """Return how many examples all processes have in the part that runs."""
    return _examples


def own_slice(length: int) -> slice:
    """Return where this process's share of ``length`` things lies; it may be empty."""
    here = world()
    least, more = divmod(length, here.size)
    # The first get one more: of a longer part nobody has less, so that shares cut into parts fit.
    start = here.rank * least + min(here.rank, more)
    return slice(start, start + least + (here.rank < more))


def part_lengths(examples: int, parts: int) -> list[int]:
    """Return the sizes of a batch's parts, of which none is empty."""
    parts = max(1, min(parts, examples))
    least, more = divmod(examples, parts)
    return [least + (part < more) for part in range(parts)]


def cut_for_this_process(positions: Positions, parts: int = 1) -> Positions:
    """Return this process's share of a batch: of each part its share, so that parts stay whole."""
    if world().size == 1:
        return positions
    return np.concatenate([part[own_slice(len(part))] for part in _pieces(positions, parts)])


def _pieces(values: NDArray[Any], parts: int) -> list[NDArray[Any]]:
    return np.array_split(values, max(1, min(parts, len(values))))


def added(value: Tensor) -> Tensor:
    """Return the sum of ``value`` over the processes; no gradient passes.

    Raises:
        TrainingError: another process has gone, or does not answer.
    """
    if world().size == 1:
        return value
    value = value.clone()
    with _answered():
        dist.all_reduce(value)
    return value


def added_up(value: Tensor | int, device: torch.device) -> Tensor | int:
    """Return the sum of a number over the processes."""
    if world().size == 1:
        return value
    return added(torch.as_tensor(value, dtype=torch.float32, device=device))


def add_gradients(parameters: Iterable[Tensor], *others: Tensor) -> tuple[Tensor, ...]:
    """Add up the gradients of all processes in place; return ``others`` (scalars) added up too."""
    if world().size == 1:
        return others
    # A layer that this process's examples passed by has no gradient here, but may elsewhere.
    gradients = [_gradient(p) for p in parameters if p.requires_grad]
    flat = added(torch.cat([g.reshape(-1).float() for g in (*gradients, *others)]))
    pieces = torch.split(flat, [g.numel() for g in (*gradients, *others)])
    for gradient, piece in zip(gradients, pieces, strict=False):
        gradient.copy_(piece.view_as(gradient))
    return tuple(piece[0] for piece in pieces[len(gradients) :])


def start_alike(model: nn.Module) -> None:
    """Give every process the leader's weights: other processors may draw other last bits."""
    if world().size == 1:
        return
    with _answered():
        for tensor in model.state_dict().values():
            dist.broadcast(tensor, src=0)


def _gradient(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


@contextmanager
def _answered() -> Iterator[None]:
    global _failing
    try:
        yield
    except RuntimeError as error:
        _failing = True
        raise lost(error) from error


def lost(error: Exception) -> TrainingError:
    """Return what to say where the other processes cannot be reached."""
    why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return TrainingError(
        f"another of the {started()} processes that train together has ended or does not answer "
        f"(process {os.environ.get('RANK')} was told: {why[:120]}); the last checkpoint is kept: "
        "resume the run by torchrun with as many processes"
    )
