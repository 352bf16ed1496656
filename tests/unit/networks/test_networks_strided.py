"""A strided convolution that trains by another road gives what torch's own gives."""

import pytest
import torch
from torch import nn

from gapwise.networks._strided import StridedConv2d


@pytest.fixture
def pair():
    torch.manual_seed(0)
    ours = StridedConv2d(4, 6, 3, stride=2, padding=1)
    torchs = nn.Conv2d(4, 6, 3, stride=2, padding=1)
    torchs.load_state_dict(ours.state_dict())
    return ours, torchs


@pytest.mark.parametrize("side", [8, 9])
def test_output_and_gradients_equal_torchs_under_autocast(pair, side):
    x = torch.randn(5, 4, side, side)
    found = []
    for layer in pair:
        inputs = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            outputs = layer(inputs)
        outputs.float().square().sum().backward()
        found.append((outputs, inputs.grad, layer.weight.grad, layer.bias.grad))
    for ours, torchs in zip(*found, strict=True):
        assert ours.shape == torchs.shape
        assert ours.dtype == torchs.dtype
        scale = torchs.float().abs().max()
        assert (ours.float() - torchs.float()).abs().max() <= 0.02 * scale


def test_without_autocast_or_gradients_it_is_torchs_own(pair):
    ours, torchs = pair
    x = torch.randn(5, 4, 8, 8)
    assert torch.equal(ours(x), torchs(x))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ours(x), torchs(x))


def test_the_whole_image_is_convolved_only_where_that_pays(pair):
    ours, _ = pair
    x = torch.randn(1, 4, 8, 8)
    assert not ours._dense(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert ours._dense(x)
        with torch.no_grad():
            assert not ours._dense(x)
