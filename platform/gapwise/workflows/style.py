"""`gapwise style`: the content of one picture in the style of another (notes 8)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from gapwise.data.images import BadImageError, Limits, decode, read_bytes, read_header
from gapwise.errors import DataError, StorageError, UsageError, shown
from gapwise.networks.base import NETWORKS, layers
from gapwise.networks.describe import describe
from gapwise.networks.pretrained import differences, read_weights, to_ours
from gapwise.settings import Settings
from gapwise.training.stylize import Activations, Progress, StyleOptions, stylize
from gapwise.workflows.trained_run import open_trained

VGG = "vgg19"
VGG_SHAPE = (3, 224, 224)
VGG_MEAN, VGG_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of pictures from 0 to 1, as the published weights were learned."""

SMALLEST, LARGEST = 32, 1024
SHOWN_SIDE = 260
FEW_SIZES = 3
_NO_FEATURES = (
    nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Dropout,
    nn.Flatten, nn.Identity,
)  # fmt: skip
"""Units behind which something else follows that makes a feature of what they give."""


@dataclass(frozen=True, kw_only=True)
class Features:
    """A network whose activations tell content and style.

    Attributes:
        name: what it is, for people.
        network: it.
        normalised: raw pixels in [0, 255] → what its first layer gets.
        shape: of one example that it was made for.
    """

    name: str
    network: nn.Module
    normalised: Callable[[Tensor], Tensor]
    shape: tuple[int, ...]

    @property
    def channels(self) -> int:
        """1 for a network of grey pictures, 3 for colour."""
        return self.shape[0]

    def usual(self) -> tuple[str, tuple[str, ...]]:
        """Return a content layer and style layers, as Gatys et al. chose them for VGG-19.

        Style: the first features of each size of map. Content: the second of the last size but
        one, or of the last where there are three sizes or fewer.

        Raises:
            UsageError: no layer gives maps.
        """
        sizes = list(self._by_size().values())
        if not sizes:
            raise UsageError(
                f"{self.name} has no layer that gives maps; choose a convolutional one"
            )
        deep = sizes[-1] if len(sizes) <= FEW_SIZES else sizes[-2]
        return deep[min(1, len(deep) - 1)], tuple(size[0] for size in sizes)

    def choices(self) -> tuple[str, ...]:
        """Return the layers that tell content or style, in order."""
        return tuple(name for size in self._by_size().values() for name in size)

    def _by_size(self) -> dict[tuple[int, ...], list[str]]:
        """Return size of map → its features; pooling before a non-linearity does not count."""
        rows = {row.name: row for row in describe(self.network, self.shape).layers}
        found: dict[tuple[int, ...], list[str]] = {}
        size: tuple[int, ...] = ()
        for name, unit in layers(self.network):
            shape = rows[name].output_shape
            if len(shape) != 3 or shape[1] * shape[2] == 1:
                break
            if any(isinstance(part, nn.Conv2d) for part in unit.modules()):
                size = shape[1:]
            if size and not isinstance(unit, _NO_FEATURES):
                found.setdefault(size, []).append(name)
        return found


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Two pictures, as bytes with what they are called, and the longer side of what is made."""

    content: tuple[str, bytes]
    style: tuple[str, bytes]
    size: int = 256


def source(run: str | None, weights: Path | None) -> Features:
    """Return the features of a run or of a file of weights, of which one must be given.

    Raises:
        UsageError: none or both are given, or the run is not usable.
        StorageError: the file is not usable.
    """
    if (run is None) == (weights is None):
        raise UsageError(
            "give either --run, a run on pictures such as `gapwise train textures` makes, or "
            "--weights, a file of VGG-19's"
        )
    return of_run(run) if run is not None else of_weights(Path(weights or ""))


def of_run(run_ref: str, settings: Settings | None = None) -> Features:
    """Return the network of a run that was trained here on pictures.

    Raises:
        UsageError: there is no such run, or it takes no grey or colour pictures.
    """
    trained = open_trained(run_ref, settings or Settings.read())
    model, shape = trained.model, trained.model.spec.input_shape
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise UsageError(
            f"run {shown(run_ref)} takes no pictures; name one that does, as `gapwise train "
            "textures` makes"
        )
    return Features(
        name=f"{model.spec.network['name']} of run {trained.run_id[:12]}",
        network=model.network,
        normalised=model.normalised,
        shape=shape,
    )


def of_weights(path: Path) -> Features:
    """Return VGG-19 with published weights from a file; those of its dense layers may be missing.

    Raises:
        StorageError: the file cannot be read, or holds other weights.
    """
    known = to_ours(VGG, read_weights(path))
    with torch.device("meta"):
        network: nn.Module = NETWORKS.get(VGG)(input_shape=VGG_SHAPE, outputs=1000)
    wanted = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if name.startswith("convolution")
    }
    found = {name: tensor.float() for name, tensor in known.items() if name in wanted}
    if told := differences(wanted, found):
        raise StorageError(
            f"{path} does not hold the convolutions of VGG-19: {told}; give torchvision's vgg19 or "
            "the same as safetensors"
        )
    network.load_state_dict(found, strict=False, assign=True)
    mean = torch.tensor(VGG_MEAN)[:, None, None] * 255
    deviation = torch.tensor(VGG_DEVIATION)[:, None, None] * 255
    return Features(
        name=f"VGG-19 with {path.name}",
        network=network,
        normalised=lambda pixels: (pixels - mean.to(pixels)) / deviation.to(pixels),
        shape=VGG_SHAPE,
    )


def transfer(
    features: Features,
    asked: Asked,
    options: Mapping[str, Any],
    progress: Callable[[Progress], None] = lambda _: None,
) -> NDArray[np.uint8]:
    """Return the content picture in the style of the other, (height, width) or (…, 3).

    Args:
        features: the network.
        asked: both pictures.
        options: fields of ``StyleOptions``; layers that are not given are the usual ones.
        progress: called with each step's costs and the picture so far.

    Raises:
        DataError: a picture cannot be read.
        UsageError: an option cannot be, or a layer is not known.
        TrainingError: a cost is not finite.
    """
    if not SMALLEST <= asked.size <= LARGEST:
        raise UsageError(f"--size is {asked.size}; give {SMALLEST} to {LARGEST} pixels")
    content_layer, style_layers = features.usual()
    given = {name: value for name, value in options.items() if value is not None}
    settled = StyleOptions(
        **{"content": content_layer, "style": dict.fromkeys(style_layers, 1.0), **given}
    )
    activations = Activations(
        features.network, (settled.content, *settled.style), features.normalised
    )
    content, style = (_pixels(*one, asked.size, features) for one in (asked.content, asked.style))
    return as_picture(stylize(activations, content, style, settled, progress))


def as_picture(pixels: Tensor) -> NDArray[np.uint8]:
    """Return (channels, height, width) in [0, 255] as (height, width) or (height, width, 3)."""
    whole = pixels.round().to(torch.uint8).cpu().numpy()
    return np.asarray(whole[0] if len(whole) == 1 else whole.transpose(1, 2, 0))


def weighted(texts: Sequence[str]) -> dict[str, float] | None:
    """Return layer → weight of ``LAYER`` or ``LAYER=WEIGHT``; None where there are none.

    Raises:
        UsageError: a weight is no number.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, weight = text.partition("=")
        try:
            found[name] = float(weight or 1)
        except ValueError as error:
            raise UsageError(
                f"--style-layer {shown(text)} has no number behind =; write {shown(name)}=0.5"
            ) from error
    return found or None


def read_pictures(content: Path, style: Path, size: int) -> Asked:
    """Return what is asked for, from two image files.

    Raises:
        DataError: a file cannot be read.
    """
    found = []
    for path in (content, style):
        try:
            found.append((str(path), read_bytes(path)))
        except BadImageError as error:
            raise DataError(f"{path}: {error.reason}; check the path") from error
    return Asked(content=found[0], style=found[1], size=size)


def write_picture(picture: NDArray[np.uint8], path: Path) -> None:
    """Write a PNG, JPEG or WebP, by the path's ending.

    Raises:
        UsageError: the ending is none of these.
        StorageError: it cannot be written.
    """
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UsageError(
            f"{path} ends in {path.suffix or 'nothing'}; end it in .png, .jpg or .webp"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error}; name another with --output") from error


def looked_at(called: str, content: bytes, size: int = SHOWN_SIDE) -> NDArray[np.uint8]:
    """Return an image file's picture as it is shown, (height, width, 3).

    Raises:
        DataError: it is no image that can be used.
    """
    return _decoded(called, content, size, 3).transpose(1, 2, 0)


def _pixels(called: str, content: bytes, size: int, features: Features) -> Tensor:
    return torch.from_numpy(_decoded(called, content, size, features.channels)).float()


def _decoded(called: str, content: bytes, size: int, channels: int) -> NDArray[np.uint8]:
    """Return the pixels (channels, height, width), the longer side brought to ``size``."""
    try:
        header = read_header(content, Limits())
        share = size / max(header.height, header.width)
        height, width = (max(8, round(share * side)) for side in (header.height, header.width))
        return decode(content, height, width, channels)
    except BadImageError as error:
        raise DataError(f"{shown(called)} {error.reason}; give a JPEG, PNG or WebP") from error
