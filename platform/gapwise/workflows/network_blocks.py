"""The blocks that a network is drawn as, read off the network itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

import torch
from torch import Tensor, fx, nn

from gapwise.figures import words
from gapwise.figures.architecture import Block, Join, Kind
from gapwise.networks.base import layers
from gapwise.networks.describe import Layer

_ADD: Final = frozenset({"add", "add_", "iadd"})
_CONCATENATE: Final = frozenset({"cat", "concat", "concatenate"})


@dataclass(kw_only=True)
class _Draft:
    """A block that may still grow."""

    kind: Kind
    label: str
    shape: tuple[int, ...]
    joins: Join = ""
    rows: list[Layer] = field(default_factory=list)
    then: list[str] = field(default_factory=list)
    sides: list[str] = field(default_factory=list)
    repeat: int = 1

    def takes(self, other: "_Draft") -> bool:
        """Whether ``other`` is the same once more."""
        alike = [(one.kind, one.label, one.shape, one.joins) for one in (self, other)]
        return alike[0] == alike[1] and self.kind != "dense" and not self.sides

    def block(self) -> Block:
        """Return the block."""
        lines = [", ".join(row.name for row in self.rows)] if self.rows else []
        parameters, macs = (sum(getattr(r, n) for r in self.rows) for n in ("parameters", "macs"))
        if parameters or macs:
            lines.append(f"{words.count(parameters, 'parameter')}, {macs:,} multiply-accumulates")
        if self.then:
            lines.append("then " + ", ".join(dict.fromkeys(self.then)))
        return Block(
            kind=self.kind,
            label=self.label,
            shape=self.shape,
            repeat=self.repeat,
            joins=self.joins,
            sides=tuple(self.sides),
            hover=tuple(lines),
        )


def blocks(
    network: nn.Module, rows: Sequence[Layer], input_shape: tuple[int, ...]
) -> tuple[Block, ...]:
    """Return the input and the network's layers as blocks.

    What leaves the shape as it is and is no layer of its own (batch norm, activation, dropout) is
    told with the block before it; equal blocks in a row become one with a count.

    Args:
        network: fresh, on the meta device: nothing is computed, and it is not to be used again.
        rows: its table, by ``describe``.
        input_shape: of one example.
    """
    table = {row.name: row for row in rows}
    sides = _sides(network, input_shape)
    drafts = [_Draft(kind="input", label="input", shape=input_shape)]
    for name, module in layers(network):
        row = table[name or "network"]
        _add(drafts, module, row)
        drafts[-1].sides += sides.get(name, [])
    return tuple(draft.block() for draft in drafts)


def joins(unit: nn.Module) -> Join:
    """Return what comes together in a unit: a shortcut, branches, or "", nothing."""
    if not list(unit.children()):
        return ""
    try:
        nodes = fx.symbolic_trace(unit).graph.nodes
    except Exception:  # a plug-in's block may do what tracing cannot follow: nothing is drawn
        return ""
    called = {getattr(node.target, "__name__", str(node.target)) for node in nodes}
    if called & _CONCATENATE:
        return "concatenate"
    return "add" if called & _ADD else ""


def _add(drafts: list[_Draft], module: nn.Module, row: Layer) -> None:
    before = drafts[-1]
    kind, label = _named(module, row)
    shape = row.output_shape
    # A flattened map is still that map; a pooling that leaves a map its size does nothing to it.
    same = prod(shape) == prod(before.shape) if kind == "other" else shape == before.shape
    if same and kind in ("other", "pool"):
        if not isinstance(module, nn.Flatten | nn.Identity):
            before.then.append(row.kind)
        return
    draft = _Draft(kind=kind, label=label, shape=shape, joins=joins(module), rows=[row])
    if before.takes(draft):
        before.repeat += 1
        before.rows.append(row)
    else:
        drafts.append(draft)


def _named(module: nn.Module, row: Layer) -> tuple[Kind, str]:
    if isinstance(module, nn.Conv2d):
        depthwise = 1 < module.groups == module.in_channels
        return (
            "convolution",
            f"{'depthwise' if depthwise else 'conv'} {_square(module.kernel_size)}",
        )
    if isinstance(module, nn.Linear):
        return "dense", "dense"
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        what = "max" if isinstance(module, nn.MaxPool2d) else "mean"
        return "pool", f"{what} {_square(module.kernel_size)}"
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        return "pool", "max" if isinstance(module, nn.AdaptiveMaxPool2d) else "mean"
    return ("block" if list(module.children()) else "other"), row.kind


def _square(size: Any) -> str:
    pair = (size, size) if isinstance(size, int) else tuple(size)
    return "×".join(map(str, pair))


def _sides(network: nn.Module, input_shape: tuple[int, ...]) -> dict[str, list[str]]:
    """Return unit → the side branches that start from its output, seen as they run in training."""
    aside = [name for name in getattr(network, "aside", ()) if hasattr(network, name)]
    found: dict[str, list[str]] = {}
    if not aside:
        return found
    outputs: list[tuple[str, Tensor]] = []

    def started(name: str, x: Tensor) -> None:
        origin = next((unit for unit, output in outputs if output is x), "")
        found.setdefault(origin, []).append(name)

    for name, unit in layers(network):
        unit.register_forward_hook(lambda _, __, y, name=name: outputs.append((name, y)))
    for name in aside:
        side = network.get_submodule(name)
        side.register_forward_pre_hook(lambda _, inputs, name=name: started(name, inputs[0]))
    network.train()(torch.empty((2, *input_shape), device="meta"))
    return found
