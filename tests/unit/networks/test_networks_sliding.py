"""Dense layers as convolutions: one pass is every window (notes 6.4)."""

import pytest
import torch
from torch import nn

from gapwise.errors import PipelineError
from gapwise.networks.base import NETWORKS
from gapwise.networks.lenet5 import LeNet5
from gapwise.networks.sliding import as_convolutions


def cropped(network: nn.Module, image: torch.Tensor, side: int, stride: int) -> torch.Tensor:
    """The outputs of each window by itself: (1, units, rows, columns)."""
    height, width = image.shape[2:]
    rows = [
        torch.stack(
            [
                network(image[:, :, y : y + side, x : x + side])[0]
                for x in range(0, width - side + 1, stride)
            ],
            1,
        )
        for y in range(0, height - side + 1, stride)
    ]
    return torch.stack(rows, 1)[None]


@pytest.mark.parametrize("options", [{}, {"batch_norm": "before", "dropout": 0.3}], ids=str)
@pytest.mark.parametrize("shape", [(32, 32), (48, 64), (45, 37)], ids=str)
def test_one_pass_equals_every_window_by_itself(options: dict, shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = LeNet5(input_shape=(1, 32, 32), outputs=10, **options)
    network(torch.randn(8, 1, 32, 32))  # batch norm's averages are none that are trivial
    sliding, stride = as_convolutions(network.eval(), (1, 32, 32))
    image = torch.randn(1, 1, *shape)
    with torch.no_grad():
        together, alone = sliding(image), cropped(network, image, 32, stride)
    assert stride == 4
    assert together.shape == (1, 10, *((side - 32) // 4 + 1 for side in shape))
    assert together.shape == alone.shape
    assert (together - alone).abs().max() < 1e-5
    assert together.abs().max() > 0.01


def test_the_notes_own_picture() -> None:
    """14×14 with a 5×5 filter, 2×2 pooling and dense layers: 16×16 gives 2×2, 28×28 8×8 windows."""
    layers = [nn.Conv2d(3, 16, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 400), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 4)).eval()
    sliding, stride = as_convolutions(network, (3, 14, 14))
    assert stride == 2
    for side, windows in ((14, 1), (16, 2), (28, 8)):
        assert sliding(torch.zeros(1, 3, side, side)).shape == (1, 4, windows, windows)


def test_weights_are_shared() -> None:
    network = LeNet5(input_shape=(1, 28, 28), outputs=3)
    sliding, _ = as_convolutions(network, (1, 28, 28))
    own = {weight.data_ptr() for weight in network.parameters()}
    assert {weight.data_ptr() for weight in sliding.parameters()} == own


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (NETWORKS.get("small-cnn")(input_shape=(1, 32, 32), outputs=3), "pads its map with zeros"),
        (nn.Sequential(nn.AdaptiveAvgPool2d(1)), "AdaptiveAvgPool2d.*cannot slide"),
    ],
    ids=["padding", "pooling of the whole"],
)
def test_what_cannot_slide_is_told_why(network: nn.Module, told: str) -> None:
    with pytest.raises(PipelineError, match=told):
        as_convolutions(network, (1, 32, 32))
