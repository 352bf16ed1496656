"""What a picture costs that shall have one's content and another's style (notes 8.3 to 8.5)."""

from collections.abc import Callable

import torch
from torch import Tensor

SMALLEST_SLOPE = 1e-12


def style_matrix(activations: Tensor) -> Tensor:
    """Return how channels go together, G = A·Aᵀ/(n_H·n_W): (n, channels, channels) (notes 8.5).

    Divided by the places, so that a style picture may have another size than the content.
    """
    flat = activations.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def content_cost(made: Tensor, wanted: Tensor) -> Tensor:
    """Return ½ ‖a(C) − a(G)‖² / (n_H·n_W·n_C) (notes 8.4, divided by how many there are)."""
    return (made - wanted).square().mean() / 2


def style_cost(made: Tensor, wanted: Tensor) -> Tensor:
    """Return ‖G(S) − G(G)‖² / (2·n_C)², which is the notes' (8.5) where sizes are equal.

    Args:
        made, wanted: style matrices (n, channels, channels).
    """
    return (made - wanted).square().sum() / (2 * made.shape[1]) ** 2


def roughness(picture: Tensor) -> Tensor:
    """Return the mean square of what neighbours of (channels, height, width) differ by."""
    down, across = picture[:, 1:] - picture[:, :-1], picture[..., 1:] - picture[..., :-1]
    return down.square().mean() + across.square().mean()


def as_share(cost: Callable[[Tensor, Tensor], Tensor], made: Tensor, wanted: Tensor) -> Tensor:
    """Return a cost as a share of what nothing at all would cost, so that weights mean the same."""
    return cost(made, wanted) / cost(torch.zeros_like(wanted), wanted).clamp(min=SMALLEST_SLOPE)
