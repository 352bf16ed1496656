"""U-Net and transpose convolutions, by the numbers of the notes (6.12, 6.13)."""

import pytest
import torch
from torch import nn

from gapwise.networks.base import count_parameters
from gapwise.networks.describe import describe
from gapwise.networks.u_net import UNet


def test_a_transpose_convolution_by_hand() -> None:
    """Notes 6.12: 2×2 input, 3×3 filter, padding 1, stride 2: cells that overlap add."""
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1, bias=False)
    x = torch.tensor([[2.0, 1], [3, 2]])
    f = torch.tensor([[1.0, 2, 1], [2, 0, 1], [0, 2, 1]])
    with torch.no_grad():
        layer.weight.copy_(f)
    laid = torch.zeros(6, 6)
    for row in range(2):
        for column in range(2):
            laid[2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += x[row, column] * f
    assert torch.equal(layer(x[None, None])[0, 0], laid[1:5, 1:5])
    assert layer(x[None, None])[0, 0, 0].tolist() == [0, 4, 0, 1]


def test_without_padding_572_pixels_become_388_as_in_the_paper() -> None:
    with torch.device("meta"):
        network = UNet(input_shape=(1, 572, 572), outputs=2, padded=False, batch_norm=False)
        assert network(torch.empty(1, 1, 572, 572)).shape == (1, 2, 388, 388)
    assert count_parameters(network) == 31_030_658
    seen = describe(network, (1, 572, 572)).layers[-1].receptive_field
    assert seen is not None
    assert seen.start == (92.0, 92.0), "the middle: (572 − 388) / 2"


@pytest.mark.parametrize("side", [8, 20, 27, 33])
def test_padded_it_gives_as_many_pixels_as_it_gets(side: int) -> None:
    network = UNet(input_shape=(1, side, side + 3), outputs=3, base=2, depth=3).eval()
    assert network(torch.zeros(1, 1, side, side + 3)).shape == (1, 3, side, side + 3)


def test_a_pixel_is_read_beside_what_is_around_it() -> None:
    """The skip carries detail: without what lies below, a shifted pixel shifts its output."""
    torch.manual_seed(0)
    network = UNet(input_shape=(1, 32, 32), outputs=1, base=4, depth=2, batch_norm=False).eval()
    x = torch.zeros(1, 1, 32, 32)
    x[0, 0, 16, 16] = 1.0
    gap = (network(x) - network(torch.zeros_like(x)))[0, 0].abs()
    assert gap[16, 16] > 0
    assert gap[16, 16] > 10 * gap[0, 0]
