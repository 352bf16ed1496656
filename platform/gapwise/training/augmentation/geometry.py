"""Where each pixel of a changed picture comes from, and one sampling of the pictures there.

Places are in pixels from the picture's centre, x to the right and y down.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from gapwise.training.augmentation.draw import Draw

Entry = Tensor | float


class Affine(NamedTuple):
    """A change of pictures: what it shows at (u, v) is taken from (x, y).

    x = xu·u + xv·v + x0 and y = yu·u + yv·v + y0; each entry is (n,) float32, one for each picture,
    or a number for all of them.
    """

    xu: Entry = 1.0
    xv: Entry = 0.0
    x0: Entry = 0.0
    yu: Entry = 0.0
    yv: Entry = 1.0
    y0: Entry = 0.0

    def then(self, later: "Affine") -> "Affine":
        """Return this change followed by ``later``."""
        # A place is traced back through the later change first.
        return Affine(
            xu=self.xu * later.xu + self.xv * later.yu,
            xv=self.xu * later.xv + self.xv * later.yv,
            x0=self.xu * later.x0 + self.xv * later.y0 + self.x0,
            yu=self.yu * later.xu + self.yv * later.yu,
            yv=self.yu * later.xv + self.yv * later.yv,
            y0=self.yu * later.x0 + self.yv * later.y0 + self.y0,
        )

    def at(self, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return x and y for u and v of shapes that broadcast to (n, height, width)."""
        xu, xv, x0, yu, yv, y0 = (_spread(entry) for entry in self)
        return xu * u + xv * v + x0, yu * u + yv * v + y0


def mirrored(draw: Draw) -> Affine:
    """Mirror half of the pictures left to right."""
    return Affine(xu=1.0 - 2.0 * draw.coin("mirror"))


def cropped(draw: Draw, least: float, height: int, width: int) -> Affine:
    """Scale a window of each picture to its size.

    The window's share of the area is uniform in [``least``, 1], its form the picture's own, and its
    place any inside it: its outermost pixels lie between pixels of the picture.
    """
    scale = torch.sqrt(1 - (1 - least) * draw.share("crop area"))
    room = (1 - scale) / 2
    return Affine(
        xu=scale,
        yv=scale,
        x0=room * (width - 1) * draw.signed("crop right"),
        y0=room * (height - 1) * draw.signed("crop down"),
    )


def rotated(draw: Draw, most: float) -> Affine:
    """Turn each picture about its centre by an angle that is uniform in ± ``most`` degrees."""
    angle = math.radians(most) * draw.signed("rotation")
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return Affine(xu=cosine, xv=-sine, yu=sine, yv=cosine)


def sheared(draw: Draw, most: float) -> Affine:
    """Slant each picture sideways by an angle that is uniform in ± ``most`` degrees."""
    return Affine(xv=torch.tan(math.radians(most) * draw.signed("shear")))


def shifted(draw: Draw, most: int) -> Affine:
    """Shift each picture by whole pixels, uniform in ± ``most``, along both sides."""
    down, right = offsets(draw, most)
    return Affine(x0=(right - most).float(), y0=(down - most).float())


def offsets(draw: Draw, most: int) -> tuple[Tensor, Tensor]:
    """Return where a window begins in a picture that has ``most`` more pixels on each side.

    Down and right, each (n,) int64 and equally likely in [0, 2·``most``].
    """
    return draw.below("down", 2 * most + 1), draw.below("right", 2 * most + 1)


def from_centre(length: int, device: torch.device) -> Tensor:
    """Return (length,) the places of a side's pixels, 0 in the middle."""
    return torch.arange(length, dtype=torch.float32, device=device) - (length - 1) / 2


def sampled(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the pictures at the places x and y, (n, channels, height, width) float32.

    Between pixels by the four around (bilinear); beyond the picture are zeros.

    Args:
        images: (n, channels, height, width) of any type.
        x, y: places that broadcast to (n, height, width).
    """
    n, _, height, width = images.shape
    grid = torch.empty(n, height, width, 2, device=images.device)
    # torch counts from −1 at the picture's left edge to 1 at its right one.
    grid[..., 0] = x * (2 / width)
    grid[..., 1] = y * (2 / height)
    return F.grid_sample(images.float(), grid, align_corners=False)


def windows(padded: Tensor, shape: torch.Size, down: Tensor, right: Tensor) -> Tensor:
    """Return from each padded image the window of ``shape`` that starts at (down, right)."""
    count, _, height, width = shape
    examples = torch.arange(count, device=padded.device)
    return padded.unfold(2, height, 1).unfold(3, width, 1)[examples, :, down, right]


def _spread(entry: Entry) -> Entry:
    return entry[:, None, None] if isinstance(entry, Tensor) else entry
