"""What residual networks share (notes 5.11): blocks, shortcuts, and the networks of the paper.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", 2016: section 4.1 for large
images (ResNet-18 and -50), section 4.2 for CIFAR's (ResNet-20 and -56). The blocks of the mobile
networks (notes 5.14 and 5.15) are units of the same kind.
"""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.networks.base import Chain, image_shape, initialize

Shortcut = Literal["pad", "projection", "none"]


class Block(nn.Module):
    """Layers that are one unit of a network: ``after(main(x) + shortcut(x))``.

    The last layer of ``main`` is written over, so it must not need its outputs to learn from them:
    a batch norm does not. Within a unit nobody but the next layer sees what a layer gives, and ReLU
    may write over it as well.

    Attributes:
        main: the layers.
        shortcut: what of the input is added; None adds nothing.
        after: what follows the sum.
    """

    def __init__(
        self, main: nn.Sequential, shortcut: nn.Module | None, after: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.main = main
        self.shortcut = shortcut
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, filters, height, width) for x: (batch, channels, height, width)."""
        y: Tensor = self.main(x)
        if self.shortcut is not None:
            y = y.add_(self.shortcut(x))
        return y if self.after is None else self.after(y)


class BasicBlock(Block):
    """Two 3×3 convolutions around which the input is added (the paper's figure 5, left)."""

    expansion = 1

    def __init__(self, planes_in: int, planes: int, stride: int, shortcut: Shortcut) -> None:
        main = nn.Sequential(
            *normed(planes_in, planes, 3, stride=stride),
            nn.ReLU(inplace=True),
            *normed(planes, planes, 3),
        )
        super().__init__(
            main, _shortcut(planes_in, planes, stride, shortcut), nn.ReLU(inplace=True)
        )


class Bottleneck(Block):
    """1×1, 3×3 and 1×1 convolutions around which the input is added (figure 5, right).

    The 3×3 convolution takes the stride, as in everybody's weights and counts; the paper's first
    1×1 convolution has it, skips three of four pixels, and needs 3.86 instead of 4.09 GMAC.
    """

    expansion = 4

    def __init__(self, planes_in: int, planes: int, stride: int, shortcut: Shortcut) -> None:
        planes_out = self.expansion * planes
        main = nn.Sequential(
            *normed(planes_in, planes, 1),
            nn.ReLU(inplace=True),
            *normed(planes, planes, 3, stride=stride),
            nn.ReLU(inplace=True),
            *normed(planes, planes_out, 1),
        )
        shortcut_ = _shortcut(planes_in, planes_out, stride, shortcut)
        super().__init__(main, shortcut_, nn.ReLU(inplace=True))


class PaddedShortcut(nn.Module):
    """Option A of the paper: every ``stride``-th pixel, and zeros for the channels that are new."""

    def __init__(self, new_planes: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.padding = (0, 0, 0, 0, new_planes // 2, new_planes - new_planes // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, filters, ⌈height/stride⌉, ⌈width/stride⌉)."""
        # Windows of one pixel pick the same pixels as a slice, and their gradient is cheaper.
        return F.pad(F.avg_pool2d(x, 1, self.stride), self.padding)


class CifarResNet(Chain):
    """A stem, three stages of as many blocks of two convolutions, and a dense layer.

    Args:
        name: the network's, for messages.
        blocks: of each stage; the layers are 6·blocks + 2.
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        width: filters of the first stage; the next stages have two and four times as many.
        shortcut: around the blocks; ``none`` is the plain twin.
    """

    def __init__(
        self,
        *,
        name: str,
        blocks: int,
        input_shape: tuple[int, ...],
        outputs: int,
        width: int,
        shortcut: Shortcut,
    ) -> None:
        super().__init__()
        channels, _, _ = image_shape(name, input_shape)
        self.stem = nn.Sequential(*normed(channels, width, 3), nn.ReLU())
        self.blocks = nn.Sequential(*_blocks(BasicBlock, width, [blocks] * 3, shortcut))
        self.head = _head(4 * width, outputs)
        initialize(self)


class ImageNetResNet(Chain):
    """A stem, four stages of blocks and a dense layer, with a projection where the size changes.

    Attributes:
        counts: blocks of each stage.

    Args:
        name: the network's, for messages.
        block: the kind of block.
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        size: ``small`` starts with one 3×3 convolution instead of 7×7 and pooling with stride 2.
        width: filters of the first stage; null is 64, and 16 where small.
    """

    counts: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        *,
        name: str,
        block: type[BasicBlock] | type[Bottleneck],
        input_shape: tuple[int, ...],
        outputs: int,
        size: Literal["published", "small"],
        width: int | None,
    ) -> None:
        super().__init__()
        channels, _, _ = image_shape(name, input_shape)
        if size == "small":
            width = 16 if width is None else width
            stem = [*normed(channels, width, 3), nn.ReLU()]
        else:
            width = 64 if width is None else width
            # ReLU after pooling gives the same numbers as before it, on a quarter of the units.
            stem = [*normed(channels, width, 7, stride=2), nn.MaxPool2d(3, 2, padding=1), nn.ReLU()]
        self.stem = nn.Sequential(*stem)
        self.blocks = nn.Sequential(*_blocks(block, width, self.counts, "projection"))
        self.head = _head(8 * width * block.expansion, outputs)
        initialize(self)

    @classmethod
    def from_torchvision(cls, key: str) -> str:
        """Return our name of a weight that torchvision calls ``key``; others stay as they are."""
        for pattern, ours in ((r"conv1\.", "stem.0."), (r"bn1\.", "stem.1."), (r"fc\.", "head.2.")):
            if re.match(pattern, key):
                return re.sub(pattern, ours, key, count=1)
        found = re.fullmatch(r"layer([1-4])\.(\d+)\.(conv|bn|downsample\.)(\d)\.(\w+)", key)
        if found is None:
            return key
        stage, block, kind, number = int(found[1]), int(found[2]), found[3], int(found[4])
        place = f"blocks.{sum(cls.counts[: stage - 1]) + block}"
        if kind == "downsample.":
            return f"{place}.shortcut.{number}.{found[5]}"
        return f"{place}.main.{3 * (number - 1) + (kind == 'bn')}.{found[5]}"


def normed(
    planes_in: int, planes_out: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """Return a convolution with same padding, and batch norm."""
    # Batch norm makes the bias of the convolution meaningless (notes 3.15).
    convolution = nn.Conv2d(
        planes_in, planes_out, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )
    return convolution, nn.BatchNorm2d(planes_out)


def _blocks(
    block: type[BasicBlock] | type[Bottleneck],
    width: int,
    counts: Sequence[int],
    shortcut: Shortcut,
) -> list[nn.Module]:
    """Return the blocks of all stages: each stage but the first halves the map, doubles filters."""
    blocks: list[nn.Module] = []
    planes_in = width
    for stage, count in enumerate(counts):
        planes = width * 2**stage
        for i in range(count):
            blocks.append(block(planes_in, planes, 2 if stage and not i else 1, shortcut))
            planes_in = planes * block.expansion
    return blocks


def _shortcut(planes_in: int, planes_out: int, stride: int, shortcut: Shortcut) -> nn.Module | None:
    if shortcut == "none":
        return None
    if planes_in == planes_out and stride == 1:
        return nn.Identity()
    if shortcut == "pad":
        return PaddedShortcut(planes_out - planes_in, stride)
    return nn.Sequential(*normed(planes_in, planes_out, 1, stride=stride))


def _head(planes: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(planes, outputs))
