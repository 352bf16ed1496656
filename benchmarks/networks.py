"""One step of every network, in float32 and bfloat16, eager and compiled: are the results equal?

    python benchmarks/networks.py [NAME …] [--compiled] [--device cuda] [--batch N]

The small sibling of each network takes one step from the same weights on the same batch, without
dropout, whose draws no two ways share. Beside the reference (float32, eager) stand, for each way,
the relative difference of the loss and of the whole gradient (the length of the difference over the
length of the reference) and the milliseconds of a step, the median of five.

How far rounding may lead is measured too, for it grows with depth: "rounded" is the reference with
its weights and inputs rounded once to bfloat16, and every way's gradient is held against that. A
way that passes its tolerance is marked, and the exit code is 1.

Compiling takes 10 to 80 seconds a network on two cores, and is done when asked for.
"""

import argparse
import copy
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.networks.base import NETWORKS, Branched, Published

REPEATS = 5


@dataclass(frozen=True)
class Way:
    """A way to compute a step, and how far its results may be from the reference's.

    Attributes:
        loss: largest relative difference.
        gradient: largest difference, in those that rounding weights and inputs once makes.
    """

    dtype: torch.dtype
    compiled: bool
    loss: float
    gradient: float

    @property
    def name(self) -> str:
        """What the table calls it."""
        return (
            f"{str(self.dtype).removeprefix('torch.')} {'compiled' if self.compiled else 'eager'}"
        )


# bfloat16 rounds every layer's outputs, not only the weights: 1 to 2.4 times as far was measured.
# float32 keeps 16 bits more than bfloat16.
WAYS = (
    Way(torch.float32, compiled=False, loss=0.0, gradient=0.0),
    Way(torch.float32, compiled=True, loss=1e-4, gradient=0.05),
    Way(torch.bfloat16, compiled=False, loss=0.03, gradient=4.0),
    Way(torch.bfloat16, compiled=True, loss=0.03, gradient=4.0),
)


@dataclass(frozen=True)
class Outcome:
    """What a step gave.

    Attributes:
        loss: before the step.
        gradient: of all weights, in one row.
        milliseconds: of a step, the median.
    """

    loss: float
    gradient: Tensor
    milliseconds: float

    def differences(self, reference: "Outcome") -> tuple[float, float]:
        """Return the relative differences of loss and gradient."""
        loss = abs(self.loss - reference.loss) / abs(reference.loss)
        apart = (self.gradient - reference.gradient).norm() / reference.gradient.norm()
        return loss, apart.item()


def smallest(name: str) -> Published:
    """Return the published size of a network that costs least and takes images, if one does."""
    published: tuple[Published, ...] = getattr(NETWORKS.get(name), "published", ())
    images = [entry for entry in published if len(entry.input_shape) == 3]
    return min(images or published, key=lambda entry: entry.macs)


def built(name: str, entry: Published, seed: int = 0) -> nn.Module:
    """Return the network of ``entry``, its dropout set to 0."""
    torch.manual_seed(seed)
    make = NETWORKS.get(name)
    # Ten outputs, for cross-entropy over one has nothing to learn.
    network = make(input_shape=entry.input_shape, outputs=10, **entry.options)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network


def batch_of(entry: Published, count: int) -> tuple[Tensor, Tensor]:
    """Return inputs of mean 0 and deviation 1, and a class of ten for each."""
    torch.manual_seed(1)
    return torch.randn(count, *entry.input_shape), torch.arange(count) % 10


def loss_of(outputs: Tensor | Branched, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy, that of side branches added by their weight."""
    if not isinstance(outputs, Branched):
        return _cross_entropy(outputs, targets)
    sides = [_cross_entropy(side, targets) for side in outputs.sides]
    return _cross_entropy(outputs.main, targets) + outputs.weight * torch.stack(sides).sum()


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return it; a map of outputs counts by its mean."""
    scores = outputs.float()
    return F.cross_entropy(scores.flatten(2).mean(2) if scores.ndim > 2 else scores, targets)


def one_step(
    network: nn.Module, inputs: Tensor, targets: Tensor, way: Way, repeats: int = REPEATS
) -> Outcome:
    """Take a step from ``network``, which stays as it is, and time ``repeats`` more."""
    network = copy.deepcopy(network).train()
    run: Callable[..., Any] = torch.compile(network) if way.compiled else network
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6)

    def step() -> float:
        optimizer.zero_grad()
        with torch.autocast(inputs.device.type, way.dtype, enabled=way.dtype != torch.float32):
            outputs = run(inputs)
        loss = loss_of(outputs, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.item()  # waits for the device

    loss = step()
    given = [weight.grad for weight in network.parameters() if weight.grad is not None]
    gradient = torch.cat([grad.detach().flatten().double() for grad in given])
    return Outcome(loss, gradient, median(timed(step) for _ in range(repeats)))


def timed(step: Callable[[], float]) -> float:
    """Return the milliseconds of a step."""
    began = time.perf_counter()
    step()
    return 1e3 * (time.perf_counter() - began)


@dataclass(frozen=True)
class Row:
    """A way beside the reference.

    Attributes:
        loss, gradient: the relative differences.
        holds: whether they are within the way's tolerance.
    """

    way: str
    outcome: Outcome
    loss: float
    gradient: float
    holds: bool = True


def compared(
    name: str, ways: Sequence[Way], device: str = "cpu", count: int = 16, repeats: int = REPEATS
) -> Iterator[Row]:
    """Give a row for the reference, for what rounding does, and for each of ``ways``."""
    entry = smallest(name)
    network = built(name, entry).to(device)
    inputs, targets = (part.to(device) for part in batch_of(entry, count))
    reference = one_step(network, inputs, targets, WAYS[0], repeats)
    yield Row(WAYS[0].name, reference, 0.0, 0.0)
    rough = one_step(rounded(network), rough_of(inputs), targets, WAYS[0], repeats)
    yardstick = rough.differences(reference)[1]
    yield Row("rounded", rough, *rough.differences(reference))
    for way in ways:
        torch.compiler.reset()
        found = one_step(network, inputs, targets, way, repeats)
        loss, gradient = found.differences(reference)
        holds = loss <= way.loss and gradient <= way.gradient * yardstick
        yield Row(way.name, found, loss, gradient, holds)


def rounded(network: nn.Module) -> nn.Module:
    """Return a copy with each weight at the nearest bfloat16."""
    network = copy.deepcopy(network)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(rough_of(weight))
    return network


def rough_of(values: Tensor) -> Tensor:
    """Return float32 values at the nearest bfloat16."""
    return values.bfloat16().float()


def line(name: str, row: Row) -> str:
    """Return a line of the table."""
    numbers = f"{row.outcome.loss:9.4f} {row.loss:9.1e} {row.gradient:9.1e}"
    mark = "" if row.holds else "  DIFFERS"
    return f"{name:24}{row.way:20}{numbers} {row.outcome.milliseconds:9.2f}{mark}"


def main() -> int:
    """Print the table; return 1 if a way gives other results than the reference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="networks; without any, all")
    parser.add_argument("--compiled", action="store_true", help="compile each network, too")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=16, help="examples of the batch")
    given = parser.parse_args()
    ways = [way for way in WAYS[1:] if given.compiled or not way.compiled]
    print(f"torch {torch.__version__}, {given.device}, batches of {given.batch}")
    print(f"{'network':24}{'way':20}{'loss':>9} {'Δ loss':>9} {'Δ grad':>9} {'ms/step':>9}")
    held = True
    for name in given.names or NETWORKS.names():
        for row in compared(name, ways, given.device, given.batch):
            print(line(name, row), flush=True)
            held = held and row.holds
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
