"""Activation, batch norm and dropout as options of the small networks (notes 2.3, 3.4.2, 3.15)."""

from typing import Any

import pytest
import torch
from torch import nn

from gapwise.networks.activations import ActivationName, activation, weight_variance
from gapwise.networks.base import NETWORKS, count_parameters, layers, shares

NORMED = ["multilayer-perceptron", "small-cnn", "lenet5"]
KINDS: dict[ActivationName, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def make(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return NETWORKS.get(name)(input_shape=(1, 28, 28), outputs=10, **options)


@pytest.mark.parametrize("name", ["relu", "leaky-relu", "tanh", "sigmoid"])
def test_activations_are_the_notes_formulas(name: ActivationName) -> None:
    z = torch.linspace(-3, 3, 25, dtype=torch.float64)
    formulas = {
        "relu": torch.maximum(torch.zeros_like(z), z),
        "leaky-relu": torch.maximum(0.2 * z, z),
        "tanh": (z.exp() - (-z).exp()) / (z.exp() + (-z).exp()),
        "sigmoid": 1 / (1 + (-z).exp()),
    }
    assert torch.allclose(activation(name, 0.2)(z), formulas[name])


def test_the_slope_of_leaky_relu_is_a_hundredth_by_default() -> None:
    assert activation("leaky-relu")(torch.tensor(-1.0)).item() == pytest.approx(-0.01)


@pytest.mark.parametrize("slope", [-0.1, 1.0, 3.0])
def test_a_slope_that_is_no_leak_is_refused(slope: float) -> None:
    with pytest.raises(ValueError, match=f"slope is {slope}, but must be at least 0 and below 1"):
        activation("leaky-relu", slope)


@pytest.mark.parametrize("name", [*NORMED, "functional-cnn"])
@pytest.mark.parametrize("wanted", KINDS)
def test_the_activation_follows_every_hidden_layer(name: str, wanted: ActivationName) -> None:
    units = [unit for _, unit in layers(make(name, activation=wanted))]
    found = [type(unit) for unit in units if isinstance(unit, tuple(KINDS.values()))]
    weighted = sum(isinstance(unit, nn.Conv2d | nn.Linear) for unit in units)
    assert found == [KINDS[wanted]] * (weighted - 1)


@pytest.mark.parametrize("wanted", KINDS)
def test_weights_are_drawn_so_that_signals_keep_their_size(wanted: ActivationName) -> None:
    """20 layers on end: with n times the variance, neither 0 nor infinity comes out (notes 3.6)."""
    torch.manual_seed(0)
    made = NETWORKS.get("multilayer-perceptron")
    network = made(input_shape=(300,), outputs=300, hidden=[300] * 20, activation=wanted)
    first = network.get_submodule("dense1")
    assert first.weight.var().item() * 300 == pytest.approx(weight_variance(wanted), rel=0.03)
    after = network(torch.randn(50, 300)).square().mean().sqrt()
    assert 0.1 < after < 10


def order_of(network: nn.Module) -> list[str]:
    """Return the units between the first weighted layer and the second: N norm, A non-linearity."""
    units = [unit for _, unit in layers(network)]
    weighted = [i for i, u in enumerate(units) if isinstance(u, nn.Conv2d | nn.Linear)]
    letters = []
    for unit in units[weighted[0] + 1 : weighted[1]]:
        if isinstance(unit, nn.BatchNorm1d | nn.BatchNorm2d):
            letters.append("N")
        elif isinstance(unit, nn.ReLU):
            letters.append("A")
    return letters


@pytest.mark.parametrize("name", NORMED)
@pytest.mark.parametrize(
    ("place", "order", "bias"),
    [("none", ["A"], True), ("before", ["N", "A"], False), ("after", ["A", "N"], True)],
)
def test_batch_norm_stands_where_it_is_wanted(
    name: str, place: str, order: list[str], bias: bool
) -> None:
    network = make(name, batch_norm=place)
    assert order_of(network) == order
    first = next(u for _, u in layers(network) if isinstance(u, nn.Conv2d | nn.Linear))
    assert (first.bias is not None) is bias


def test_a_bias_before_batch_norm_is_meaningless_and_behind_it_is_not() -> None:
    """The mean takes it away again (3.15), which is why it is left out."""
    torch.manual_seed(0)
    z = torch.randn(64, 5)
    norm = nn.BatchNorm1d(5)
    bias = torch.tensor([3.0, -2.0, 0.5, 0.0, 10.0])
    assert torch.allclose(norm(z + bias), norm(z), atol=1e-5)
    relu = nn.ReLU()
    assert not torch.allclose(norm(relu(z + bias)), norm(relu(z)), atol=0.1)


def test_batch_norm_costs_two_weights_a_unit_and_saves_one_bias() -> None:
    plain, before, after = (
        count_parameters(make("lenet5", batch_norm=place)) for place in ("none", "before", "after")
    )
    units = 6 + 16 + 120 + 84
    assert before - plain == units
    assert after - plain == 2 * units


def test_pooling_before_a_rising_non_linearity_gives_the_same_as_behind_it() -> None:
    torch.manual_seed(0)
    x, pool = torch.randn(2, 3, 8, 8), nn.MaxPool2d(2)
    for name in KINDS:
        follow = activation(name)
        assert torch.equal(follow(pool(x)), pool(follow(x)))


def dropped(network: nn.Module) -> dict[str, float]:
    return {name: u.p for name, u in layers(network) if isinstance(u, nn.Dropout) and u.p}


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("multilayer-perceptron", {"hidden": [8, 4], "dropout": 0.5}, [0.5, 0.5]),
        ("multilayer-perceptron", {"hidden": [8, 4, 4], "dropout": [0.5, 0, 0.2]}, [0.5, 0.2]),
        ("lenet5", {"dropout": 0.3}, [0.3, 0.3]),
        ("lenet5", {"dropout": [0.1, 0.2, 0.3, 0.4]}, [0.1, 0.2, 0.3, 0.4]),
        ("small-cnn", {"dropout": 0.3}, [0.3]),
        ("small-cnn", {"dropout": [0.1, 0.2, 0.3]}, [0.1, 0.2, 0.3]),
        ("small-cnn", {"channels": [4], "convolutions": 2, "dropout": [0.1, 0.3]}, [0.1, 0.3]),
    ],
)
def test_dropout_is_one_number_or_one_a_layer(
    name: str, options: dict[str, Any], expected: list[float]
) -> None:
    assert list(dropped(make(name, **options)).values()) == expected


@pytest.mark.parametrize("name", NORMED)
def test_as_many_numbers_as_layers_are_wanted(name: str) -> None:
    with pytest.raises(ValueError, match=r"dropout has 7 numbers, but \d layers may have some"):
        make(name, dropout=[0.1] * 7)


def test_one_number_stands_for_the_last_layers() -> None:
    assert shares(0.5, count=4, last=2) == [0, 0, 0.5, 0.5]
    assert shares((0.1, 0.2), count=2, last=1) == [0.1, 0.2]
    assert shares(0.5, count=0, last=0) == []


@pytest.mark.parametrize("name", NORMED)
def test_options_move_no_other_weight_to_another_name(name: str) -> None:
    """So that a run may start from weights that were learned with other dropout."""
    layers_of = {"multilayer-perceptron": 1, "lenet5": 4, "small-cnn": 3}
    plain = make(name).state_dict()
    other = make(name, activation="tanh", dropout=[0.2] * layers_of[name]).state_dict()
    assert {k: v.shape for k, v in plain.items()} == {k: v.shape for k, v in other.items()}


def test_a_block_has_a_convolution() -> None:
    with pytest.raises(ValueError, match="convolutions is 0, but a block has at least 1"):
        make("small-cnn", convolutions=0)
