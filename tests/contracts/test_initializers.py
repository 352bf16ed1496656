"""What holds for every registered initializer."""

import math

import pytest
import torch
from torch import nn

from gapwise.errors import PipelineError
from gapwise.pipeline_file import check_options
from gapwise.pipeline_parts import Part
from gapwise.training.initializers.base import INITIALIZERS, Initializer, fans, initialize

NAMES = INITIALIZERS.names()
# Enough weights each that the deviation drawn is within a few percent of the one meant.
LAYERS: dict[str, tuple[nn.Linear | nn.Conv2d | nn.Conv1d | nn.ConvTranspose2d, tuple[int, int]]]
LAYERS = {
    "dense": (nn.Linear(300, 200), (300, 200)),
    "convolution": (nn.Conv2d(16, 64, 5), (16 * 25, 64 * 25)),
    "no bias": (nn.Conv2d(32, 64, 3, bias=False), (32 * 9, 64 * 9)),
    "sequence": (nn.Conv1d(32, 64, 5), (32 * 5, 64 * 5)),
    "depthwise": (nn.Conv2d(1024, 1024, 3, groups=1024), (9, 9)),
    "grouped": (nn.Conv2d(64, 128, 3, groups=4), (16 * 9, 32 * 9)),
    "transposed": (nn.ConvTranspose2d(64, 32, 3), (64 * 9, 32 * 9)),
}


def made(name: str) -> Initializer:
    options = check_options(INITIALIZERS, Part(name=name), "training.initializer")
    return INITIALIZERS.get(name)(**options)


def test_the_shipped_initializers_are_found() -> None:
    assert {"zeros", "small-random", "he", "xavier"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_no_option_that_it_does_not_have(name: str) -> None:
    with pytest.raises(PipelineError, match=r"^training\.initializer\.gian: .* no such option"):
        check_options(INITIALIZERS, Part(name=name, gian=1.0), "training.initializer")  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_layer_is_drawn_with_the_variance_that_it_says(name: str, kind: str) -> None:
    torch.manual_seed(0)
    layer, (n_in, n_out) = LAYERS[kind]
    assert fans(layer) == (n_in, n_out)
    meant = made(name).variance(n_in, n_out)
    initialize(layer, made(name))
    weights = layer.weight.detach().double()
    # The relative error of a variance drawn from n values is √(2/n); 5 of them are never seen.
    n = weights.numel()
    assert weights.var().item() == pytest.approx(meant, rel=5 * math.sqrt(2 / n))
    assert abs(weights.mean().item()) <= 5 * math.sqrt(meant / n)
    assert layer.bias is None or not layer.bias.any()


@pytest.mark.parametrize("name", NAMES)
def test_batch_norm_stays_as_it_is(name: str) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 4))
    before = {k: v.clone() for k, v in network[1].state_dict().items()}
    initialize(network, made(name))
    assert all(torch.equal(before[k], v) for k, v in network[1].state_dict().items())


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_the_weights(name: str) -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        layer = nn.Linear(5, 4)
        initialize(layer, made(name))
        drawn.append(layer.weight.detach().clone())
    assert torch.equal(*drawn)
