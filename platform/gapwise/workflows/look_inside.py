"""What a run's network has learned, as plain values that figures draw (notes 5.1 and 8.2).

Memory and time are bounded however large network and data are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.errors import DataError, UsageError
from gapwise.figures.filters import Filter
from gapwise.figures.patches import Patch
from gapwise.figures.tiles import Window
from gapwise.networks.base import layers
from gapwise.networks.describe import ReceptiveField
from gapwise.networks.filters import EDGES
from gapwise.workflows.opened_network import Inside, Layer

MOST_SHOWN: Final = 64
LONGEST_SIDE: Final = 64
PATCHES: Final = 9
MOST_VALUES: Final = 4_000_000

_Kept = tuple[Tensor, Tensor, Tensor]
"""Activations, places among the examples of dev, places in the flattened map."""


@dataclass(frozen=True, kw_only=True)
class FirstLayer:
    """The weights of the first layer that has any.

    Attributes:
        name: the layer's name.
        units: how many it has.
        filters: the first of them as pictures; empty where they are none.
        says: what the pictures are, or why there are none.
    """

    name: str
    units: int
    filters: tuple[Filter, ...]
    says: str


@dataclass(frozen=True, kw_only=True)
class Response:
    """What some units of a layer make of one example.

    Attributes:
        first: place of the first unit given.
        values: (units, height, width) of maps, made smaller where they are large; else (units,).
        lowest: the lowest value in the whole layer.
        most: the greatest size of a value in the whole layer.
        at: (units,) places of the highest values in the flattened map; 0 where there are no maps.
    """

    first: int
    values: NDArray[np.float32]
    lowest: float
    most: float
    at: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Strongest:
    """Where each unit of a layer is most excited: the strongest examples first.

    Attributes:
        values: (examples, units) activations.
        examples: (examples, units) places among the examples of dev.
        at: (examples, units) places in the flattened map; 0 where the layer has no maps.
    """

    values: NDArray[np.float32]
    examples: NDArray[np.int64]
    at: NDArray[np.int64]


def handmade() -> tuple[Filter, ...]:
    """Return the filters that the notes make by hand (5.1)."""
    return tuple(
        Filter(name=name, weights=np.array(rows, np.float32)) for name, rows in EDGES.items()
    )


def first_layer(inside: Inside) -> FirstLayer:
    """Return the first weights, as pictures where they meet a picture (notes 5.1)."""
    found = next(_weighted(inside.network), None)
    if found is None:
        return FirstLayer(name="", units=0, filters=(), says="The network has no weights.")
    name, module = found
    weight = cast(Tensor, module.weight).detach().numpy()
    pictures, says = _as_pictures(module, weight[:MOST_SHOWN], inside.input_shape)
    filters = tuple(Filter(name=str(k), weights=one) for k, one in enumerate(pictures))
    return FirstLayer(name=name, units=len(weight), filters=filters, says=says)


def respond(inside: Inside, layer: str, example_id: str, first: int = 0) -> Response:
    """Return what ``MOST_SHOWN`` units of a layer, from ``first`` on, make of an example of dev.

    Raises:
        UsageError: there is no such layer.
        DataError: dev has no such example.
    """
    known = inside.layer(layer)
    output = inside.outputs_of(known, np.array([inside.place(example_id)]))
    whole = torch.nan_to_num(output[0].float())
    part = whole[first : first + MOST_SHOWN]
    at = part.flatten(1).argmax(1) if known.has_maps else torch.zeros(len(part))
    if known.has_maps:
        part = _smaller(part)
    elif part.ndim == 3:
        part = part[:, 0, 0]
    return Response(
        first=first,
        values=part.numpy(),
        lowest=float(whole.min()),
        most=float(whole.abs().max()),
        at=at.long().numpy(),
    )


def strongest(inside: Inside, layer: str) -> Strongest:
    """Return for every unit of a layer the dev examples that excite it most.

    One pass over ``inside.looked_at()``, in batches whose output has at most ``MOST_VALUES``
    values; only the ``PATCHES`` strongest places a unit are kept.

    Raises:
        UsageError: there is no such layer.
        DataError: dev holds no examples.
    """
    known = inside.layer(layer)
    places = inside.looked_at()
    size = max(1, min(256, MOST_VALUES // max(1, int(np.prod(known.shape)))))
    kept: _Kept | None = None
    for start in range(0, len(places), size):
        batch = places[start : start + size]
        kept = _merged(kept, inside.outputs_of(known, batch), torch.from_numpy(batch))
    if kept is None:
        raise DataError("dev holds no examples; give splits.dev some and train again")
    values, examples, at = (part.numpy() for part in kept)
    return Strongest(values=values, examples=examples, at=at)


def patches(inside: Inside, best: Strongest, layer: str, unit: int) -> tuple[Patch, ...]:
    """Return the pieces of pictures that excite a unit most, the strongest first (notes 8.2).

    Each is cut by the layer's receptive field, at the picture's border to what lies inside it.

    Args:
        inside: the network.
        best: what ``strongest`` gave for the layer.
        layer: its name.
        unit: one of its units.

    Raises:
        UsageError: there is no such layer or unit.
    """
    known = inside.layer(layer)
    if not 0 <= unit < known.units:
        raise UsageError(
            f"layer {layer} has the units 0 to {known.units - 1}, but not {unit}; give one of them"
        )
    examples = best.examples[:, unit]
    pictures = inside.inputs(examples)
    windows = [window(inside, known, int(at)) for at in best.at[:, unit]]
    return tuple(
        _patch(picture, inside.ids[row], float(value), seen)
        for picture, row, value, seen in zip(
            pictures, examples, best.values[:, unit], windows, strict=True
        )
    )


def window(inside: Inside, layer: Layer, at: int) -> Window:
    """Return first and last row, first and last column of what one value of a map sees.

    Args:
        inside: whose pictures they are.
        layer: the layer; one without maps sees all.
        at: the value's place in the flattened map.
    """
    place = divmod(at, layer.shape[2] if layer.has_maps else 1)
    height, width = inside.input_shape[1:]
    return _span(layer.sees, 0, place[0], height), _span(layer.sees, 1, place[1], width)


def _patch(picture: NDArray[np.uint8], name: str, value: float, seen: Window) -> Patch:
    (top, bottom), (left, right) = seen
    piece = picture[:, top : bottom + 1, left : right + 1]
    return Patch(
        picture=piece[0] if len(piece) == 1 else piece[:3].transpose(1, 2, 0),
        example_id=name,
        activation=value,
        rows=(top, bottom),
        columns=(left, right),
    )


def _span(sees: ReceptiveField | None, axis: int, place: int, side: int) -> tuple[int, int]:
    """Return the first and last pixel inside the picture that the value at ``place`` sees."""
    if sees is None:
        return 0, side - 1
    middle = sees.start[axis] + place * sees.stride[axis]
    reach = (sees.size[axis] - 1) / 2
    return max(0, floor(middle - reach)), min(side - 1, ceil(middle + reach))


def _merged(kept: _Kept | None, output: Tensor, rows: Tensor) -> _Kept:
    """Return the strongest of what was kept and of a batch, each (at most PATCHES, units)."""
    flat = output.float().flatten(2) if output.ndim == 4 else output.float()[..., None]
    # The place in the map is sought for the few that may be kept: that is half of the time saved.
    values, chosen = flat.amax(-1).nan_to_num(nan=-torch.inf).topk(min(PATCHES, len(flat)), dim=0)
    at = flat[chosen, torch.arange(flat.shape[1])].argmax(-1)
    batch = (values, rows[chosen], at)
    if kept is None:
        return batch
    every = [torch.cat(pair) for pair in zip(kept, batch, strict=True)]
    order = every[0].topk(min(PATCHES, len(every[0])), dim=0).indices
    values, examples, at = (part.gather(0, order) for part in every)
    return values, examples, at


def _smaller(maps: Tensor) -> Tensor:
    """Return maps (units, height, width) whose longer side is at most ``LONGEST_SIDE``."""
    longest = max(maps.shape[1:])
    if longest <= LONGEST_SIDE:
        return maps
    size = [max(1, round(side * LONGEST_SIDE / longest)) for side in maps.shape[1:]]
    return F.adaptive_max_pool2d(maps, size)


def _weighted(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, unit in layers(network):
        for inner, module in unit.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                yield ".".join(filter(None, (name, inner))), module


def _as_pictures(
    module: nn.Module, weight: NDArray[np.float32], input_shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], str]:
    none = np.empty((0, 1, 1), np.float32)
    if len(input_shape) != 3:
        return none, "Its inputs are rows of features: the first weights are no pictures."
    if isinstance(module, nn.Linear):
        if weight.shape[1] != int(np.prod(input_shape)):
            return none, "The first layer sees more than the pixels: its weights are not drawn."
        weight = weight.reshape(-1, *input_shape)
        what = "A dense layer sees the whole picture: one weight a pixel."
    else:
        what = f"{weight.shape[2]}×{weight.shape[3]} filters of a convolution."
    channels = weight.shape[1]
    if channels == 1:
        return weight[:, 0], what
    if channels == 3:
        return weight, f"{what} In colour: grey is 0."
    return weight.mean(1), f"{what} Each is the mean over its {channels} channels."
