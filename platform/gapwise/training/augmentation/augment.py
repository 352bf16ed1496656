"""Label-keeping changes to a batch of images (notes 5.17), drawn by (seed, epoch, example)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gapwise.training.draws import hashed, key


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Mirror half of the images, and shift each by up to ``shift`` pixels; zeros come in."""

    mirror: bool
    shift: int
    seed: int

    def __call__(self, images: Tensor, positions: Tensor, epoch: int) -> Tensor:
        """Return images (n, channels, height, width) changed, each by its own draw.

        Args:
            images: raw images, on any device.
            positions: (n,) int64 positions of the examples in the dataset, on the same device.
            epoch: the epoch, from 1.
        """
        if self.mirror:
            flip = hashed(positions, key("mirror", self.seed, epoch)) & 1
            images = torch.where(flip.bool()[:, None, None, None], images.flip(3), images)
        if self.shift:
            down = self._offsets(positions, key("down", self.seed, epoch))
            right = self._offsets(positions, key("right", self.seed, epoch))
            images = _windows(F.pad(images, (self.shift,) * 4), images.shape, down, right)
        return images

    def _offsets(self, positions: Tensor, of: int) -> Tensor:
        """Return (n,) integers, equally likely in [0, 2·shift]."""
        return (hashed(positions, of) * (2 * self.shift + 1)) >> 32


def _windows(padded: Tensor, shape: torch.Size, down: Tensor, right: Tensor) -> Tensor:
    """Return from each padded image the window of ``shape`` that starts at (down, right)."""
    count, _, height, width = shape
    examples = torch.arange(count, device=padded.device)[:, None, None]
    rows = (down[:, None] + torch.arange(height, device=padded.device))[:, :, None]
    columns = (right[:, None] + torch.arange(width, device=padded.device))[:, None, :]
    return padded[examples, :, rows, columns].permute(0, 3, 1, 2)
