"""ResNet-50 (notes 5.11; He et al. 2016, section 4.1)."""

from typing import ClassVar, Literal

from gapwise.networks._residual import Bottleneck, ImageNetResNet
from gapwise.networks.base import Published

__all__ = ["ResNet50"]


class ResNet50(ImageNetResNet):
    """The residual network of 50 layers: four stages of 3, 4, 6 and 3 bottleneck blocks.

    25,557,032 parameters and 4.089 GMAC at 3×224×224 and 1000 outputs. Where a stage changes the
    size, the shortcut is a 1×1 convolution with batch norm (the notes' "convolutional block");
    elsewhere it is the input itself ("identity block"). The notes' picture is Keras' network, whose
    convolutions keep the biases that batch norm makes meaningless, so its count is higher by their
    26,560; and whose 1×1 convolutions have the stride, as in the paper. Here the 3×3 convolutions
    have it, as in the published weights: 3.858 GMAC would be the paper's way.

    Args:
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        size: ``published``, for large images; or ``small`` for 28×28 and 32×32: a 3×3 convolution
            in place of the first 7×7 convolution and its pooling.
        width: filters of the first stage, doubled by each of the next three; null is the
            published 64, and 16 where small.
    """

    counts = (3, 4, 6, 3)
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="resnet50",
            input_shape=(3, 224, 224),
            outputs=1000,
            notes="5.11",
            parameters=25_557_032,
            macs=4_089_184_256,
        ),
        Published(
            name="resnet50-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="5.11",
            parameters=1_484_186,
            macs=81_449_984,
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
            name="resnet50",
            block=Bottleneck,
            input_shape=input_shape,
            outputs=outputs,
            size=size,
            width=width,
        )
