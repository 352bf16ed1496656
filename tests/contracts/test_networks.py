"""What holds for every registered network, and for every size whose numbers it publishes."""

import re
from collections.abc import Iterator
from math import prod
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.errors import PipelineError
from gapwise.networks.base import (
    NETWORKS,
    Branched,
    Published,
    count_parameters,
    gives,
    layers,
)
from gapwise.networks.describe import describe

SHAPES = [
    (1, 28, 28), (3, 32, 32), (1, 8, 8), (14,), (70,), (6, 20), (1, 12), (1, 12, 12, 12)
]  # fmt: skip
SHIPPED = [(1, 28, 28), (40, 98), (1, 30, 30, 30), (65,)]
"""Shapes of the shipped sets: a picture, a sound, a volume, a row."""
Case = tuple[nn.Module, tuple[int, ...]]

QUICK = 2e8
"""Multiply-accumulates up to which a real forward pass takes no time; larger ones are faults."""


def options_of(name: str) -> dict[str, Any]:
    """Return what makes the size for small images, where a network has sizes."""
    small = {"size": "small", "base": 8}
    return {key: value for key, value in small.items() if key in NETWORKS.options(name)}


def make(name: str, shape: tuple[int, ...], outputs: int = 7) -> nn.Module:
    """Make a network with its own options, of the size for small images where it has sizes."""
    torch.manual_seed(0)
    return NETWORKS.get(name)(input_shape=shape, outputs=outputs, **options_of(name))


def in_a_row(outputs: Tensor) -> Tensor:
    """Return the mean of each unit over the cells or pixels that a network gives it for."""
    return outputs.flatten(2).mean(2) if outputs.ndim > 2 else outputs


def takes(name: str, shape: tuple[int, ...]) -> bool:
    try:
        with torch.device("meta"):
            make(name, shape)
    except PipelineError:
        return False
    return True


def shipped(name: str) -> tuple[int, ...]:
    """Return the shape of a shipped set that a network takes."""
    return next(shape for shape in SHIPPED if takes(name, shape))


EVERY = [(name, shape) for name in NETWORKS.names() for shape in SHAPES]
TAKEN = [case for case in EVERY if takes(*case)]
REFUSED = [case for case in EVERY if case not in TAKEN]
ENTRIES = [(name, entry) for name, network in NETWORKS for entry in network.published]


@pytest.fixture(params=TAKEN, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    name, shape = request.param
    return make(name, shape), shape


@pytest.mark.parametrize(("name", "shape"), REFUSED)
def test_refuses_by_name(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(PipelineError, match=f"network {name}"):
        make(name, shape)


@pytest.mark.parametrize("name", NETWORKS.names())
def test_takes_the_examples_of_the_shipped_sets(name: str) -> None:
    """One that is for pictures takes the small ones, grey and coloured, that most sets have."""
    of_pictures = takes(name, (1, 8, 8)) or takes(name, (1, 224, 224))
    assert takes(name, (1, 28, 28)) == takes(name, (3, 32, 32)) == of_pictures
    assert any(takes(name, shape) for shape in SHIPPED)


def test_a_shipped_network_is_found() -> None:
    assert {"multilayer-perceptron", "lenet5", "small-cnn", "resnet20"} <= set(NETWORKS.names())


def test_gives_one_row_of_units_an_example(case: Case) -> None:
    network, shape = case
    made = network.eval()(torch.randn(5, *shape))
    assert made.shape[:2] == (5, 7)
    assert made.ndim == {"row": 2, "grid": 4, "pixels": 4}[gives(network)]
    if gives(network) == "pixels":
        assert made.shape[2:] == shape[1:]


@pytest.mark.parametrize("name", NETWORKS.names())
def test_one_unit_is_a_column_never_a_row(name: str) -> None:
    """(n,) against (n, 1) would broadcast to (n, n): the notes' rank-1 trap."""
    shape = shipped(name)
    network = make(name, shape, outputs=1).eval()
    assert network(torch.randn(3, *shape)).shape[:2] == (3, 1)


def test_examples_do_not_see_each_other_in_evaluation(case: Case) -> None:
    network, shape = case
    network.eval()
    x = torch.randn(6, *shape)
    both, alone = network(x)[2:3], network(x[2:3])
    largest = float(both.detach().abs().max())  # rounding is of its order
    assert torch.allclose(both, alone, atol=max(1e-4, 1e-6 * largest))


def loss_of(outputs: Tensor | Branched, targets: Tensor) -> Tensor:
    if not isinstance(outputs, Branched):
        return F.cross_entropy(in_a_row(outputs), targets)
    sides = sum(F.cross_entropy(side, targets) for side in outputs.sides)
    return F.cross_entropy(outputs.main, targets) + outputs.weight * sides


def test_one_step_down_the_gradient_moves_every_weight_and_lowers_the_loss(case: Case) -> None:
    network, shape = case
    x, targets = torch.randn(8, *shape), torch.arange(8) % 7
    torch.manual_seed(1)
    before = loss_of(network(x), targets)
    before.backward()
    idle = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not idle
    assert count_parameters(network) > 0
    # A step so small that the gradient alone tells how far the loss falls.
    slope = sum(w.grad.square().sum() for w in network.parameters() if w.grad is not None)
    torch.optim.SGD(network.parameters(), lr=0.01 * before.item() / float(slope)).step()
    torch.manual_seed(1)  # the same dropout
    assert loss_of(network(x), targets).item() < before.item()


@pytest.mark.parametrize("name", NETWORKS.names())
def test_the_seed_decides_the_weights(name: str) -> None:
    first, second = (make(name, shipped(name)) for _ in range(2))
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", NETWORKS.names())
def test_units_one_after_the_other_are_the_network(name: str) -> None:
    """Freezing, precomputing and pictures of maps stand on it."""
    network = make(name, shipped(name)).eval()
    x = y = torch.randn(2, *shipped(name))
    for _, unit in layers(network):
        y = unit(y)
    assert len(layers(network)) > 1
    # Compared in values: a unit may write over what it was given.
    assert torch.allclose(network(x.clone()), y, atol=1e-6)


def sizes_of(name: str) -> list[dict[str, Any]]:
    """Return the options of every size of a network."""
    return [dict(entry.options) for entry in NETWORKS.get(name).published]


IMAGE_NETWORKS = [
    (name, options)
    for name in NETWORKS.names()
    if takes(name, (3, 32, 32)) and not takes(name, (14,))
    for options in sizes_of(name)
]
TOO_SMALL = re.compile(
    r"network (\S+): layer .+ does not fit the map of \d+×\d+ that it gets from images of (\d+)×\2;"
    r" the smallest that fits is (\d+)×\3$"
)


def smallest_of(name: str, side: int, options: dict[str, Any]) -> int:
    """Return the smallest image that the refusal of one of ``side`` names; 0 if it is taken."""
    refusal = ""
    with torch.device("meta"):
        try:
            network = NETWORKS.get(name)(input_shape=(3, side, side), outputs=2, **options)
        except PipelineError as error:
            refusal = str(error)
        else:
            assert network.eval()(torch.empty(1, 3, side, side)).shape[:2] == (1, 2)
    if not refusal:
        return 0
    found = TOO_SMALL.search(refusal)
    assert found, refusal
    assert (found[1], int(found[2])) == (name, side)
    return int(found[3])


@pytest.mark.parametrize(("name", "options"), IMAGE_NETWORKS, ids=str)
def test_image_that_is_too_small_is_told_the_smallest(name: str, options: dict[str, Any]) -> None:
    smallest = smallest_of(name, 1, options)
    if not smallest:
        return
    assert smallest_of(name, smallest, options) == 0
    for side in {smallest // 2, smallest - 1} - {0, 1}:
        assert smallest_of(name, side, options) == smallest


def _convolved(layer: Any, x: Tensor, y: Tensor) -> int:
    return y[0].numel() * prod(layer.kernel_size) * layer.in_channels // layer.groups


def _transposed(layer: Any, x: Tensor, y: Tensor) -> int:
    return x[0].numel() * prod(layer.kernel_size) * layer.out_channels // layer.groups


def _dense(layer: Any, x: Tensor, y: Tensor) -> int:
    return y[0].numel() * layer.in_features


def _gated(layer: Any, x: Tensor, y: Any) -> int:
    gates, ways = (3 if isinstance(layer, nn.GRU) else 4), 1 + layer.bidirectional
    return ways * x.shape[1] * gates * layer.hidden_size * (x.shape[2] + layer.hidden_size)


PRODUCTS = {
    nn.Conv1d: _convolved,
    nn.Conv2d: _convolved,
    nn.Conv3d: _convolved,
    nn.ConvTranspose2d: _transposed,
    nn.Linear: _dense,
    nn.GRU: _gated,
    nn.LSTM: _gated,
}


def products(network: nn.Module, x: Tensor) -> int:
    """Add up the products of every layer that has some, as the notes do (5.13)."""
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor], y: Any) -> None:
        nonlocal total
        total += PRODUCTS[type(layer)](layer, inputs[0], y)

    for module in network.modules():
        if type(module) in PRODUCTS:
            module.register_forward_hook(count)
    network.eval()(x)
    return total


def built(name: str, entry: Published) -> nn.Module:
    made = NETWORKS.get(name)
    return made(input_shape=entry.input_shape, outputs=entry.outputs, **entry.options)


@pytest.mark.parametrize("name", NETWORKS.names())
def test_publishes_its_numbers(name: str) -> None:
    assert NETWORKS.get(name).published
    assert any(entry.macs < QUICK for entry in NETWORKS.get(name).published), "a small sibling"


def test_published_names_are_unique() -> None:
    names = [entry.name for _, entry in ENTRIES]
    assert len(set(names)) == len(names)
    for name, entry in ENTRIES:
        # A size may be called as its own network is, never as another.
        assert entry.name == name or entry.name not in NETWORKS.names()
        assert re.fullmatch(r"[1-8](\.\d+){1,2}", entry.notes), name


@pytest.mark.parametrize(("name", "entry"), ENTRIES, ids=lambda part: getattr(part, "name", part))
def test_published_numbers_are_exact_and_the_layer_table_adds_up_to_them(
    name: str, entry: Published
) -> None:
    with torch.device("meta"):
        network = built(name, entry)
    assert count_parameters(network) == entry.parameters
    found = describe(network, entry.input_shape)
    assert (found.parameters, found.macs) == (entry.parameters, entry.macs)
    assert sum(layer.parameters for layer in found.layers) == entry.parameters
    last = found.layers[-1].output_shape
    assert last == () or (last[0] == entry.outputs and len(last) in (1, 3))
    with torch.no_grad():
        assert products(network, torch.empty(1, *entry.input_shape, device="meta")) == entry.macs


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        pytest.param(*case, marks=[pytest.mark.faults] if case[1].macs > QUICK else [])
        for case in ENTRIES
    ],
    ids=lambda part: getattr(part, "name", part),
)
def test_layer_table_agrees_with_a_real_forward_pass(name: str, entry: Published) -> None:
    network = built(name, entry).eval()
    shapes = dict(passed(network, torch.randn(1, *entry.input_shape)))
    told = describe(network, entry.input_shape).layers
    assert {row.name: row.output_shape for row in told if row.output_shape} == shapes


def passed(network: nn.Module, x: Tensor) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Give each unit's name with the shape of what it gives."""
    with torch.no_grad():
        for name, unit in layers(network):
            x = unit(x)
            yield name, tuple(x.shape[1:])
