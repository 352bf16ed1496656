"""Parameter counts and sizes that the literature gives (NETWORKS: exact parameters)."""

from typing import Any

import pytest
import torch

from gapwise.errors import PipelineError
from gapwise.networks.base import NETWORKS, Window, count_parameters, initialize, size_after
from gapwise.networks.multilayer_perceptron import MultilayerPerceptron

KNOWN = [
    ("lenet5", (1, 32, 32), {}, 10, 61_706),
    ("lenet5", (1, 28, 28), {"padding": 2}, 10, 61_706),
    ("multilayer-perceptron", (3, 64, 64), {"hidden": [25, 12]}, 6, 307_615),
    ("resnet20", (3, 32, 32), {}, 10, 269_722),
    ("resnet20", (3, 32, 32), {"shortcut": "projection"}, 10, 272_474),
]


@pytest.mark.parametrize(("name", "shape", "options", "outputs", "count"), KNOWN)
def test_count_is_the_published_one(
    name: str, shape: tuple[int, ...], options: dict[str, Any], outputs: int, count: int
) -> None:
    network = NETWORKS.get(name)(input_shape=shape, outputs=outputs, **options)
    assert count_parameters(network) == count


def test_resnet20_with_running_averages_is_the_other_count_in_use() -> None:
    network = NETWORKS.get("resnet20")(input_shape=(3, 32, 32), outputs=10)
    running = [b.numel() for name, b in network.named_buffers() if "running" in name]
    assert count_parameters(network) + sum(running) == 271_098


@pytest.mark.parametrize(
    ("name", "shape", "layer", "smallest"),
    [("lenet5", (1, 8, 8), "C3", "16×16"), ("small-cnn", (1, 3, 3), "pool 2", "4×4")],
)
def test_image_that_is_too_small_names_layer_and_smallest(
    name: str, shape: tuple[int, ...], layer: str, smallest: str
) -> None:
    with pytest.raises(PipelineError, match=f"{layer}.*smallest that fits is {smallest}"):
        NETWORKS.get(name)(input_shape=shape, outputs=10)


@pytest.mark.parametrize("side", [16, 17, 28, 32])
def test_lenet5_works_from_its_smallest_image_on(side: int) -> None:
    network = NETWORKS.get("lenet5")(input_shape=(1, side, side), outputs=10)
    assert network(torch.zeros(2, 1, side, side)).shape == (2, 10)


def test_lenet5_works_on_8x8_with_padding() -> None:
    network = NETWORKS.get("lenet5")(input_shape=(1, 8, 8), outputs=10, padding=4)
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


@pytest.mark.parametrize("name", ["lenet5", "small-cnn", "resnet20"])
def test_rows_are_refused_where_images_are_wanted(name: str) -> None:
    with pytest.raises(PipelineError, match="use network multilayer-perceptron"):
        NETWORKS.get(name)(input_shape=(14,), outputs=2)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [(6, 3, 1, 0, 4), (7, 3, 2, 0, 3), (6, 3, 1, 1, 6), (5, 2, 2, 0, 2)],
)
def test_window_sizes_are_those_of_the_notes(
    size: int, kernel: int, stride: int, padding: int, expected: int
) -> None:
    assert Window("layer", kernel, stride, padding).output_size(size) == expected


def test_smallest_image_is_exact() -> None:
    windows = (Window("a", 5), Window("b", 2, 2), Window("c", 3, 2, 1), Window("d", 3))
    smallest = next(n for n in range(1, 99) if _fits(windows, n))
    with pytest.raises(PipelineError, match=f"fits is {smallest}×{smallest}"):
        size_after("x", windows, (smallest - 1, 99))


def _fits(windows: tuple[Window, ...], size: int) -> bool:
    for window in windows:
        size = window.output_size(size)
        if size < 1:
            return False
    return True


def test_he_variance_is_two_over_n() -> None:
    torch.manual_seed(0)
    network = MultilayerPerceptron(input_shape=(400,), outputs=300, hidden=[500])
    initialize(network)
    first = network.dense1
    assert first.weight.var().item() == pytest.approx(2 / 400, rel=0.02)
    assert not first.bias.any()


@pytest.mark.parametrize("name", ["multilayer-perceptron", "lenet5", "small-cnn"])
def test_dropout_acts_in_training_alone(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS.get(name)(input_shape=(1, 28, 28), outputs=10, dropout=0.5)
    x = torch.randn(4, 1, 28, 28)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


def test_small_cnn_without_dense_layer() -> None:
    network = NETWORKS.get("small-cnn")(input_shape=(1, 8, 8), outputs=10, hidden=0)
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert count_parameters(network) == 32 * 9 + 64 + 64 * 32 * 9 + 128 + 256 * 10 + 10
