"""ResNet-18 (notes 5.11; He et al. 2016, section 4.1)."""

from typing import ClassVar, Literal

from gapwise.networks._residual import BasicBlock, ImageNetResNet
from gapwise.networks.base import Published

__all__ = ["ResNet18"]


class ResNet18(ImageNetResNet):
    """The residual network of 18 layers: four stages of two blocks of two 3×3 convolutions.

    11,689,512 parameters and 1.814 GMAC at 3×224×224 and 1000 outputs. Where a stage changes the
    size, the shortcut is a 1×1 convolution with batch norm (option B of the paper, the notes'
    "convolutional block"); elsewhere it is the input itself ("identity block").

    Args:
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        size: ``published``, for large images; or ``small`` for 28×28 and 32×32: a 3×3 convolution
            in place of the first 7×7 convolution and its pooling.
        width: filters of the first stage, doubled by each of the next three; null is the
            published 64, and 16 where small.
    """

    counts = (2, 2, 2, 2)
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="resnet18",
            input_shape=(3, 224, 224),
            outputs=1000,
            notes="5.11",
            parameters=11_689_512,
            macs=1_814_073_344,
        ),
        Published(
            name="resnet18-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="5.11",
            parameters=701_466,
            macs=35_046_656,
        ),
    )

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        size: Literal["published", "small"] = "published",
        width: int | None = None,
    ) -> None:
        super().__init__(
            name="resnet18",
            block=BasicBlock,
            input_shape=input_shape,
            outputs=outputs,
            size=size,
            width=width,
        )
