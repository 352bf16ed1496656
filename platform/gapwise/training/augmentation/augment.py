"""Label-keeping changes to a batch of pictures (notes 5.17), drawn by (seed, epoch, example)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError
from gapwise.inputs import told
from gapwise.training.augmentation import colours, geometry, warp
from gapwise.training.augmentation.draw import Draw

WARP_LIMIT = 4
"""A warp of this part of the side would tear a picture's parts through one another."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """All changes to training pictures, in this order; what is not asked for is left out.

    Crop, mirror, rotation, shear, shift and warp move pixels: they are composed, and the pictures
    are sampled once (bilinear); mirror and shift alone move whole pixels and stay exact. Zeros come
    in where a pixel comes from beyond the picture. Then colour and PCA colour add to every pixel,
    those zeros too, and what leaves 0–255 is cut off.

    Attributes:
        mirror: mirror half of the pictures left to right.
        shift: up to so many whole pixels along each side.
        crop: least share of the area that a random window has, which is scaled back to size.
        rotation, shear: up to so many degrees either way.
        warp: local displacement of up to so many pixels.
        colour: up to so much of 255 more or less in each channel.
        pca_colour: deviation of the random multiples of the principal colours.
        components: (channels, channels), the principal colours (``principal_components``).
        seed: the run's seed.
    """

    seed: int
    mirror: bool = False
    shift: int = 0
    crop: float = 1.0
    rotation: float = 0.0
    shear: float = 0.0
    warp: float = 0.0
    colour: float = 0.0
    pca_colour: float = 0.0
    components: Tensor | None = None

    def __call__(self, images: Tensor, positions: Tensor, epoch: int) -> Tensor:
        """Return images (n, channels, height, width) changed, each by its own draws.

        uint8 where pixels were moved as they are, else float32 in the same range.

        Args:
            images: raw images, on any device.
            positions: (n,) int64 positions of the examples in the dataset, on the same device.
            epoch: the epoch, from 1.
        """
        draw = Draw(positions, self.seed, epoch)
        move = self._sampled if self._between_pixels else self._moved
        return self._recoloured(move(images, draw), draw)

    @property
    def moves(self) -> bool:
        """Whether pixels go elsewhere, so that what lies on the picture must follow."""
        return self.mirror or bool(self.shift) or self._between_pixels

    def affine(self, height: int, width: int, positions: Tensor, epoch: int) -> geometry.Affine:
        """Return where the pixels of each picture come from, local warping left out."""
        return self._affine(Draw(positions, self.seed, epoch), height, width)

    def sources(
        self, height: int, width: int, positions: Tensor, epoch: int
    ) -> tuple[Tensor, Tensor]:
        """Return x and y, from the centre, that each pixel comes from; both (n, height, width)."""
        draw = Draw(positions, self.seed, epoch)
        x, y = self._sources(draw, height, width, positions.device)
        shape = (len(positions), height, width)
        return x.expand(shape), y.expand(shape)

    @property
    def _between_pixels(self) -> bool:
        return self.crop < 1 or any((self.rotation, self.shear, self.warp))

    def _moved(self, images: Tensor, draw: Draw) -> Tensor:
        if self.mirror:
            turned = draw.coin("mirror").bool()[:, None, None, None]
            images = torch.where(turned, images.flip(3), images)
        if self.shift:
            padded = F.pad(images, (self.shift,) * 4)
            images = geometry.windows(padded, images.shape, *geometry.offsets(draw, self.shift))
        return images

    def _sampled(self, images: Tensor, draw: Draw) -> Tensor:
        height, width = images.shape[2:]
        return geometry.sampled(images, *self._sources(draw, height, width, images.device))

    def _sources(
        self, draw: Draw, height: int, width: int, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        u = geometry.from_centre(width, device)
        v = geometry.from_centre(height, device)[:, None]
        if self.warp:
            right, down = warp.displacements(draw, self.warp, height, width)
            u, v = u + right, v + down
        return self._affine(draw, height, width).at(u, v)

    def _affine(self, draw: Draw, height: int, width: int) -> geometry.Affine:
        change = geometry.Affine()
        if self.crop < 1:
            change = change.then(geometry.cropped(draw, self.crop, height, width))
        if self.mirror:
            change = change.then(geometry.mirrored(draw))
        if self.rotation:
            change = change.then(geometry.rotated(draw, self.rotation))
        if self.shear:
            change = change.then(geometry.sheared(draw, self.shear))
        if self.shift:
            change = change.then(geometry.shifted(draw, self.shift))
        return change

    def _recoloured(self, images: Tensor, draw: Draw) -> Tensor:
        added: list[Tensor] = []
        if self.colour:
            added.append(colours.amounts(draw, self.colour, images.shape[1]))
        if self.pca_colour and self.components is not None:
            added.append(colours.principal_amounts(draw, self.pca_colour, self.components))
        return colours.recoloured(images, torch.stack(added).sum(0)) if added else images


def make_augmentation(
    options: Mapping[str, Any], prepared: Prepared, seed: int, device: torch.device
) -> Augmentation:
    """Return the augmentation of a training, with the principal colours of its data if asked for.

    Args:
        options: the pipeline's ``training.augmentation``.
        prepared: the data.
        seed: the run's seed.
        device: where the pictures will be.

    Raises:
        PipelineError: an option is not for this data.
    """
    check_augmentation(options, prepared.input_shape)
    return augmentation_of(options, prepared.inputs, prepared.indices("train"), seed, device)


def augmentation_of(
    options: Mapping[str, Any],
    inputs: NDArray[Any],
    train: NDArray[np.int64],
    seed: int,
    device: torch.device,
) -> Augmentation:
    """Return the augmentation of ``inputs``, whose examples at ``train`` are trained on."""
    components = None
    if options["pca_colour"]:
        found = colours.principal_components(inputs, train)
        components = torch.from_numpy(found).to(device)
    return Augmentation(seed=seed, components=components, **options)


def changes_asked(options: Mapping[str, Any]) -> list[str]:
    """Return the names of the options that change a picture."""
    defaults = {field.name: field.default for field in fields(Augmentation)}
    return [name for name, value in options.items() if value != defaults[name]]


def check_augmentation(options: Mapping[str, Any], input_shape: tuple[int, ...]) -> None:
    """Refuse augmentation of what is no picture, or that leaves nothing of one.

    Args:
        options: the pipeline's ``training.augmentation``.
        input_shape: shape of one example.

    Raises:
        PipelineError: an option is not for such data.
    """
    asked = changes_asked(options)
    if asked and len(input_shape) != 3:
        raise PipelineError(
            f"training.augmentation.{asked[0]} is {options[asked[0]]}, but the examples are "
            f"{told(input_shape)}, which are no pictures; take it out"
        )
    side = min(input_shape[-2:])
    limits = {"shift": side, "warp": side // WARP_LIMIT}
    for name in asked:
        if options[name] >= limits.get(name, float("inf")):
            raise PipelineError(
                f"training.augmentation.{name} is {options[name]} pixels, which leaves nothing of "
                f"pictures of {input_shape[1]}×{input_shape[2]}; set less than {limits[name]}"
            )
