"""The notes' examples of convolution: edges, sizes, true convolution (5.1 to 5.4)."""

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d, correlate2d
from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.networks.base import Window
from gapwise.networks.filters import (
    EDGES,
    HORIZONTAL_EDGE,
    SCHARR,
    SOBEL,
    VERTICAL_EDGE,
    Filter,
    as_weight,
)


def image(*columns: int) -> Tensor:
    """An image of six equal rows."""
    return torch.tensor(columns, dtype=torch.float32).expand(1, 1, 6, 6)


BRIGHT_LEFT = image(10, 10, 10, 0, 0, 0)


def rows(y: Tensor) -> list[float]:
    """Return the one row that all rows are."""
    assert (y[0, 0] == y[0, 0, :1]).all()
    return y[0, 0, 0].tolist()


def test_the_vertical_edge_of_the_half_bright_image() -> None:
    assert rows(F.conv2d(BRIGHT_LEFT, as_weight(VERTICAL_EDGE))) == [0, 30, 30, 0]


def test_dark_to_bright_is_the_same_edge_with_the_other_sign() -> None:
    assert rows(F.conv2d(BRIGHT_LEFT.flip(3), as_weight(VERTICAL_EDGE))) == [0, -30, -30, 0]


@pytest.mark.parametrize(("edge", "height"), [(SOBEL, 40), (SCHARR, 160)])
def test_sobel_and_scharr_find_the_same_edge(edge: Filter, height: float) -> None:
    assert rows(F.conv2d(BRIGHT_LEFT, as_weight(edge))) == [0, height, height, 0]


def test_the_horizontal_filter_is_the_vertical_one_turned() -> None:
    turned = as_weight(VERTICAL_EDGE).transpose(2, 3)
    assert torch.equal(as_weight(HORIZONTAL_EDGE), turned)
    assert not F.conv2d(BRIGHT_LEFT, turned).any()
    assert F.conv2d(BRIGHT_LEFT.transpose(2, 3), turned)[0, 0, :, 0].tolist() == [0, 30, 30, 0]


def test_edge_filters_give_nothing_on_an_even_image() -> None:
    weight = as_weight(*EDGES.values())
    assert weight.shape == (3, 1, 3, 3)
    assert not F.conv2d(image(7, 7, 7, 7, 7, 7), weight).any()


def test_filters_take_as_many_channels_as_wanted() -> None:
    weight = as_weight(SOBEL, SCHARR, channels=3)
    assert weight.shape == (2, 3, 3, 3)
    assert torch.equal(weight[:, 0], weight[:, 2])


@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize("f", range(1, 6))
@pytest.mark.parametrize("p", range(3))
@pytest.mark.parametrize("s", range(1, 4))
def test_size_is_that_of_5_3_whenever_the_filter_fits(n: int, f: int, p: int, s: int) -> None:
    """⌊(n + 2p − f)/s⌋ + 1; the notes' 5.4 misprints n − 2p + 1."""
    told = Window("layer", f, s, p).output_size(n)
    if n + 2 * p < f:
        assert told < 1
        return
    made = nn.Conv2d(1, 1, f, stride=s, padding=p).to("meta")(
        torch.empty(1, 1, n, n, device="meta")
    )
    assert made.shape[2:] == (told, told)


@pytest.mark.parametrize("f", [1, 3, 5, 7])
def test_same_padding_keeps_the_size(f: int) -> None:
    """p = (f − 1)/2, an integer for odd filters alone (5.2)."""
    assert Window("layer", f, padding=(f - 1) // 2).output_size(32) == 32


def test_a_convolution_over_volume_adds_up_the_channels() -> None:
    """6×6×3 with two filters of 3×3×3 gives 4×4×2 (5.4)."""
    torch.manual_seed(0)
    x, weight = torch.randn(1, 3, 6, 6), torch.randn(2, 3, 3, 3)
    y = F.conv2d(x, weight)
    assert y.shape == (1, 2, 4, 4)
    by_channel = sum(F.conv2d(x[:, c : c + 1], weight[:, c : c + 1]) for c in range(3))
    assert torch.allclose(y, by_channel, atol=1e-5)


def test_true_convolution_is_correlation_with_the_filter_flipped_both_ways() -> None:
    """What networks call convolution is cross-correlation (5.3)."""
    random = np.random.default_rng(0)
    x, f = random.normal(size=(6, 6)), random.normal(size=(3, 3))
    called = F.conv2d(torch.tensor(x)[None, None], torch.tensor(f)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(called, correlate2d(x, f, mode="valid"))
    flipped = torch.tensor(f)[None, None].flip(2, 3)
    true = F.conv2d(torch.tensor(x)[None, None], flipped)[0, 0].numpy()
    np.testing.assert_allclose(true, convolve2d(x, f, mode="valid"))
    assert not np.allclose(called, true)


def test_true_convolution_is_associative_which_correlation_is_not() -> None:
    random = np.random.default_rng(1)
    a, b, c = (random.normal(size=(3, 3)) for _ in range(3))
    np.testing.assert_allclose(convolve2d(convolve2d(a, b), c), convolve2d(a, convolve2d(b, c)))
    assert not np.allclose(correlate2d(correlate2d(a, b), c), correlate2d(a, correlate2d(b, c)))
