"""ResNet-20 for small images (notes 5.11; He et al. 2016, section 4.2)."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.networks.base import Chain, image_shape, initialize

__all__ = ["ResNet20"]

Shortcut = Literal["pad", "projection"]


class ResNet20(Chain):
    """The CIFAR-style residual network of 20 layers: three stages of three blocks.

    269,722 parameters at 3 channels and 10 outputs with the paper's shortcuts (option A: the
    identity, subsampled and padded with zero channels); 272,474 with projections (option B). Counts
    of 271,098 that one meets add the 1,376 running averages of batch norm, which are not trained.

    Args:
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        width: filters of the first stage; the next stages have two and four times as many.
        shortcut: ``pad`` (option A of the paper) or ``projection`` (option B).
    """

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        width: int = 16,
        shortcut: Shortcut = "pad",
    ) -> None:
        super().__init__()
        channels, _, _ = image_shape("resnet20", input_shape)
        blocks: list[nn.Module] = []
        planes = width
        for stage in range(3):
            for block in range(3):
                stride = 2 if stage and not block else 1
                blocks.append(_Block(planes, width * 2**stage, stride, shortcut))
                planes = width * 2**stage
        self.stem = nn.Sequential(_convolution(channels, width), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(planes, outputs))
        initialize(self)


class _Block(nn.Module):
    """Two 3×3 convolutions around which the input is added."""

    def __init__(self, planes_in: int, planes_out: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.main = nn.Sequential(
            _convolution(planes_in, planes_out, stride),
            nn.BatchNorm2d(planes_out),
            nn.ReLU(),
            _convolution(planes_out, planes_out),
            nn.BatchNorm2d(planes_out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if planes_in != planes_out or stride != 1:
            self.shortcut = _shortcut(planes_in, planes_out, stride, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.main(x) + self.shortcut(x))


class _Pad(nn.Module):
    """Option A: every ``stride``-th pixel, with zeros for the channels that are new."""

    def __init__(self, new_planes: int, stride: int) -> None:
        super().__init__()
        self.new_planes = new_planes
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, self.new_planes // 2, self.new_planes - self.new_planes // 2))


def _shortcut(planes_in: int, planes_out: int, stride: int, shortcut: Shortcut) -> nn.Module:
    if shortcut == "pad":
        return _Pad(planes_out - planes_in, stride)
    projection = nn.Conv2d(planes_in, planes_out, 1, stride=stride, bias=False)
    return nn.Sequential(projection, nn.BatchNorm2d(planes_out))


def _convolution(planes_in: int, planes_out: int, stride: int = 1) -> nn.Conv2d:
    # Batch norm follows each convolution and makes its bias meaningless (notes 3.15).
    return nn.Conv2d(planes_in, planes_out, 3, stride=stride, padding=1, bias=False)
