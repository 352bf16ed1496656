"""What holds for every registered network."""

import pytest
import torch
from torch import nn

from gapwise.errors import PipelineError
from gapwise.networks.base import NETWORKS, count_parameters

SHAPES = [(1, 28, 28), (3, 32, 32), (1, 8, 8), (14,)]
Case = tuple[nn.Module, tuple[int, ...]]


def make(name: str, shape: tuple[int, ...], outputs: int = 7) -> nn.Module:
    """Make a network with its own options, of the size for small images where it has sizes."""
    torch.manual_seed(0)
    options = {"size": "small"} if "size" in NETWORKS.options(name) else {}
    return NETWORKS.get(name)(input_shape=shape, outputs=outputs, **options)


def takes(name: str, shape: tuple[int, ...]) -> bool:
    try:
        make(name, shape)
    except PipelineError:
        return False
    return True


EVERY = [(name, shape) for name in NETWORKS.names() for shape in SHAPES]
TAKEN = [case for case in EVERY if takes(*case)]
REFUSED = [case for case in EVERY if case not in TAKEN]


@pytest.fixture(params=TAKEN, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    name, shape = request.param
    return make(name, shape), shape


@pytest.mark.parametrize(("name", "shape"), REFUSED)
def test_refuses_by_name(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(PipelineError, match=f"network {name}"):
        make(name, shape)


@pytest.mark.parametrize("name", NETWORKS.names())
def test_takes_the_images_of_the_shipped_sets(name: str) -> None:
    assert takes(name, (1, 28, 28))
    assert takes(name, (3, 32, 32))


def test_a_shipped_network_is_found() -> None:
    assert {"multilayer-perceptron", "lenet5", "small-cnn", "resnet20"} <= set(NETWORKS.names())


def test_gives_one_row_of_units_an_example(case: Case) -> None:
    network, shape = case
    assert network(torch.randn(5, *shape)).shape == (5, 7)


def test_examples_do_not_see_each_other_in_evaluation(
    case: Case,
) -> None:
    network, shape = case
    network.eval()
    x = torch.randn(6, *shape)
    both, alone = network(x)[2:3], network(x[2:3])
    assert torch.allclose(both, alone, atol=1e-4)


def test_every_weight_learns(case: Case) -> None:
    network, shape = case
    network(torch.randn(8, *shape)).square().mean().backward()
    idle = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not idle
    assert count_parameters(network) > 0


@pytest.mark.parametrize("name", NETWORKS.names())
def test_the_seed_decides_the_weights(name: str) -> None:
    first, second = (make(name, (3, 32, 32)) for _ in range(2))
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
