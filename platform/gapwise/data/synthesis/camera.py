"""A camera model: what a phone makes of a clean scan.

Each picture goes, in this order, through a rotation about its centre (normal, σ in degrees), a
Gaussian blur (σ in pixels, uniform in a range), a loss of contrast towards mid-grey (uniform from
0), a light gradient across the picture in a random direction (side to side, uniform from 0, as a
fraction of full scale) and sensor noise (normal, σ as a fraction of full scale). Notes 4.15 name
such artificial data synthesis, and its danger: a model may overfit to a small part of what a real
camera does.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gapwise.data.base import Copies, Originals
from gapwise.data.keyed import seed_of

__all__ = ["camera"]


def camera(
    originals: Originals,
    *,
    rotation: float = 12.0,
    blur: tuple[float, float] = (0.3, 0.6),
    contrast: float = 0.35,
    light: float = 0.35,
    noise: float = 0.12,
) -> Copies:
    """Return each picture as a camera would see it.

    Args:
        originals: pictures (n, channels, height, width) uint8.
        rotation: σ of the angle in degrees.
        blur: lowest and highest σ of the blur in pixels.
        contrast: highest loss of contrast, as a fraction.
        light: highest difference of light from side to side, as a fraction of full scale.
        noise: σ of the noise, as a fraction of full scale.

    Raises:
        PipelineError: the examples are no pictures.
    """
    originals.check("picture", "camera")
    images = originals.inputs
    seen = np.empty_like(images)
    across, down = _ramps(images.shape[2], images.shape[3])
    for index, key in enumerate(originals.keys):
        random = np.random.default_rng(seed_of(key))
        picture = images[index].astype(np.float64) / 255
        picture = ndimage.rotate(
            picture, random.normal(0, rotation), axes=(2, 1), reshape=False, order=1
        )
        width = random.uniform(*blur)
        picture = ndimage.gaussian_filter(picture, sigma=(0, width, width))
        picture = 0.5 + (picture - 0.5) * (1 - random.uniform(0, contrast))
        angle = random.uniform(0, 2 * np.pi)
        ramp = across * np.cos(angle) + down * np.sin(angle)
        picture += random.uniform(0, light) * ramp
        picture += random.normal(0, noise, picture.shape)
        seen[index] = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
    return Copies(seen)


def _ramps(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ramps of height 1 across and down a picture: (1, width) and (height, 1)."""
    return np.linspace(-0.5, 0.5, width)[None, :], np.linspace(-0.5, 0.5, height)[:, None]
