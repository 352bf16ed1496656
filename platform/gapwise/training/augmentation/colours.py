"""Changes of colour: an amount for each channel, or along the principal colours (AlexNet's)."""

from math import isqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapwise.training.augmentation.draw import Draw
from gapwise.training.draws import key, shuffled

BRIGHTEST = 255.0
SAMPLE = 1000
PIXELS = 1024


def amounts(draw: Draw, most: float, channels: int) -> Tensor:
    """Return what each channel gets, (n, channels), uniform in ± ``most`` of 255."""
    return most * draw.signed_rows("colour", channels)


def principal_amounts(draw: Draw, deviation: float, components: Tensor) -> Tensor:
    """Return what each channel gets, (n, channels): Σ αᵢ λᵢ pᵢ with αᵢ normal of ``deviation``.

    Krizhevsky, Sutskever and Hinton (2012), section 4.1; there the deviation is 0.1.

    Args:
        draw: the examples.
        deviation: of each αᵢ.
        components: (channels, channels), see ``principal_components``.
    """
    alphas = deviation * draw.normal_rows("pca_colour", len(components))
    total = torch.zeros_like(alphas)
    for i in range(len(components)):
        total = total + alphas[:, i, None] * components[:, i]
    return total


def principal_components(inputs: NDArray[Any], train: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the principal colours of the training set, (channels, channels), as columns λᵢ pᵢ.

    Eigenvectors pᵢ and eigenvalues λᵢ of the covariance of the channels of pixels in [0, 1] (the
    paper's scale), written in the units of the pictures. Of a large set ``SAMPLE`` pictures are
    looked at and of a large picture about ``PIXELS`` pixels on a grid, the same ones in every run;
    the sums are of whole numbers and exact, so no order of adding shows.

    Args:
        inputs: (n, channels, height, width) uint8; may be a memory map.
        train: positions of the training examples.
    """
    chosen = np.sort(shuffled(train, key("principal colours"))[:SAMPLE])
    step = max(1, isqrt(inputs.shape[2] * inputs.shape[3] // PIXELS))
    pictures = np.asarray(inputs[chosen])[:, :, ::step, ::step]
    pixels = pictures.transpose(1, 0, 2, 3).reshape(inputs.shape[1], -1).astype(np.float64)
    count = pixels.shape[1]
    sums = pixels.sum(axis=1)
    covariance = (pixels @ pixels.T - np.outer(sums, sums) / count) / count / BRIGHTEST**2
    values, vectors = np.linalg.eigh(covariance)
    # An eigenvector's sign is the solver's whim; here its largest entry is positive.
    largest = np.abs(vectors).argmax(axis=0)
    vectors *= np.sign(vectors[largest, np.arange(len(vectors))])
    components: NDArray[np.float64] = vectors * values.clip(min=0) * BRIGHTEST
    return components.astype(np.float32)


def recoloured(images: Tensor, added: Tensor) -> Tensor:
    """Return the pictures with ``added`` (n, channels) on every pixel, float32 kept in 0–255."""
    return (images + added[:, :, None, None]).clamp(0, BRIGHTEST)
