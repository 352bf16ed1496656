"""What each operation of a forward pass costs, and which pixels it lets through.

Watching operations rather than modules sees what a block does in its ``forward`` (additions,
concatenations, padding, slices) without being told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten

TRANSPOSED = 4
"""Where ``aten.convolution`` says whether it is transposed, behind input and weight."""


@dataclass(frozen=True)
class Span:
    """The pixels along one axis that a map sees, 0 the first; what lies outside is padding.

    Position i of the map sees the pixels low + i·stride to high + i·stride.
    """

    low: float = 0.0
    high: float = 0.0
    stride: float = 1.0

    def window(self, kernel: int, stride: float, padding: float, dilation: int = 1) -> "Span":
        """Return the span behind a convolution or a pooling."""
        low = self.low - padding * self.stride
        return Span(
            low=low,
            high=self.high + (dilation * (kernel - 1) - padding) * self.stride,
            stride=self.stride * stride,
        )

    def moved(self, by: float) -> "Span":
        """Return the span of a map whose first position is what was position ``by``."""
        return Span(self.low + by * self.stride, self.high + by * self.stride, self.stride)

    def joined(self, other: "Span") -> "Span":
        """Return the span of a map that adds or stacks two maps."""
        return Span(min(self.low, other.low), max(self.high, other.high), self.stride)


Field = tuple[Span, ...]


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the multiply-accumulates of convolutions and matrix products, and follows the pixels.

    A map that one pixel is stretched over (the gate of squeeze-and-excitation) adds nothing to the
    pixels seen: the gate says how much, not where.

    Attributes:
        macs: multiply-accumulates so far.
    """

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = 0
        # Kept beside its tensor, so that no other tensor gets its id.
        self._fields: dict[int, tuple[Tensor, Field]] = {}
        self._keep(image, (Span(),) * (image.ndim - 2))

    def field(self, tensor: Tensor) -> Field | None:
        """Return the span along each axis of a map; None where a position sees the whole image."""
        found = self._fields.get(id(tensor))
        return found[1] if found else None

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run the operation, count it and follow it."""
        result = func(*args, **(kwargs or {}))
        first = result[0] if isinstance(result, tuple | list) else result
        if not isinstance(first, Tensor):
            return result
        operation = func.overloadpacket
        if cost := _COSTS.get(operation):
            self.macs += cost(first, *args)
        rule = _RULES.get(operation)
        inputs = _tensors(args)
        field = self.field(inputs[0]) if inputs else None
        if rule and field:
            self._keep(first, rule(field, inputs[0], first, *args[1:]))
        elif not rule and (joined := self._joined(inputs, first)):
            self._keep(first, joined)
        return result

    def _joined(self, inputs: Sequence[Tensor], output: Tensor) -> Field | None:
        """Return what the inputs see together that have the output's height and width."""
        found = None
        for tensor in inputs:
            field = self.field(tensor)
            if field and tensor.shape[2:] == output.shape[2:]:
                same = zip(found or field, field, strict=True)
                found = tuple(one.joined(other) for one, other in same)
        return found

    def _keep(self, tensor: Tensor, field: Field) -> None:
        if field and tensor.ndim == len(field) + 2:
            self._fields[id(tensor)] = (tensor, field)


def _tensors(args: Sequence[Any]) -> list[Tensor]:
    inner = [one for arg in args for one in (arg if isinstance(arg, list | tuple) else (arg,))]
    return [one for one in inner if isinstance(one, Tensor)]


def _convolution_macs(output: Tensor, x: Tensor, weight: Tensor, *rest: Any) -> int:
    # A weight is (filters, channels of a group, …): each output unit is one filter's product. One
    # that is transposed is (channels, filters of a group, …): each input is laid on the output.
    transposed = len(rest) > TRANSPOSED and rest[TRANSPOSED]
    return (x if transposed else output).numel() * weight[0].numel()


def _product_macs(output: Tensor, *args: Any) -> int:
    return output.numel() * int(args[-1].shape[-2])


_COSTS: dict[Any, Callable[..., int]] = {
    aten.convolution: _convolution_macs,
    aten.mm: _product_macs,
    aten.bmm: _product_macs,
    aten.addmm: _product_macs,
}


def _convolution(field: Field, x: Tensor, y: Tensor, *args: Any) -> Field:
    weight, _bias, stride, padding, dilation = args[:5]
    if args[TRANSPOSED + 1]:
        return _spread(field, weight.shape[2:], stride, padding)
    return _windows(field, weight.shape[2:], stride, padding, dilation)


def _spread(field: Field, *sizes: Any) -> Field:
    """Output o of a transpose convolution sees the inputs (o + p − f + 1)/s to (o + p)/s."""
    by_axis = [_each(size, len(field)) for size in sizes]
    return tuple(
        Span(
            low=span.low + span.stride * (padding - kernel + 1) / step,
            high=span.high + span.stride * padding / step,
            stride=span.stride / step,
        )
        for span, kernel, step, padding in zip(field, *by_axis, strict=True)
    )


def _pooling(field: Field, x: Tensor, y: Tensor, *args: Any) -> Field:
    kernel, stride, padding = (*args, (), ())[:3]
    return _windows(field, kernel, stride or kernel, padding or 0, 1)


def _windows(field: Field, *sizes: Any) -> Field:
    by_axis = [_each(size, len(field)) for size in sizes]
    return tuple(span.window(*axis) for span, *axis in zip(field, *by_axis, strict=True))


def _each(size: Any, count: int) -> list[int]:
    """One number an axis, as torch reads ``3``, ``[3]`` and ``[3, 3]``."""
    sizes = list(size) if isinstance(size, list | tuple | torch.Size) else [size]
    return sizes * count if len(sizes) == 1 else sizes


def _adaptive(field: Field, x: Tensor, y: Tensor, *args: Any) -> Field:
    """The window of output i is pixels ⌊i·n/m⌋ … ⌈(i + 1)·n/m⌉ of n that become m."""
    spans = []
    for span, size, made in zip(field, x.shape[2:], y.shape[2:], strict=True):
        kernel = max(-(-(i + 1) * size // made) - i * size // made for i in range(made))
        spans.append(span.window(kernel, size / made, 0))
    return tuple(spans)


def _mean(field: Field, x: Tensor, y: Tensor, *args: Any) -> Field:
    return _adaptive(field, x, y) if y.ndim == x.ndim else ()


def _pad(field: Field, x: Tensor, y: Tensor, *args: Any) -> Field:
    """Torch names the padding of the last axis first, before and behind."""
    before = list(args[0][::2])[: len(field)]
    before += [0] * (len(field) - len(before))
    return tuple(span.moved(-by) for span, by in zip(field, reversed(before), strict=True))


def _slice(field: Field, x: Tensor, y: Tensor, *args: Any) -> Field:
    axis = args[0] if args else 0
    start = args[1] if len(args) > 1 else 0
    step = args[3] if len(args) > 3 else 1
    if axis < 2:
        return field
    spans = list(field)
    moved = spans[axis - 2].moved(start or 0)
    spans[axis - 2] = Span(moved.low, moved.high, moved.stride * step)
    return tuple(spans)


def _unsqueeze(field: Field, x: Tensor, y: Tensor, *args: Any) -> Field:
    """Torch pools a sequence as an image of height 1."""
    axis = args[0] % y.ndim - 2
    return (*field[:axis], Span(), *field[axis:]) if axis >= 0 else ()


def _squeeze(field: Field, x: Tensor, y: Tensor, *args: Any) -> Field:
    axis = args[0] % x.ndim - 2
    return (*field[:axis], *field[axis + 1 :]) if axis >= 0 and y.ndim < x.ndim else ()


_RULES: dict[Any, Callable[..., Field]] = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _pooling,
    aten.max_pool3d_with_indices: _pooling,
    aten.avg_pool2d: _pooling,
    aten._adaptive_avg_pool2d: _adaptive,
    aten.adaptive_max_pool2d: _adaptive,
    aten.mean: _mean,
    aten.constant_pad_nd: _pad,
    aten.slice: _slice,
    aten.unsqueeze: _unsqueeze,
    aten.squeeze: _squeeze,
}
