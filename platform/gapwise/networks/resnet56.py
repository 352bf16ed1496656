"""ResNet-56 for small images (notes 5.11; He et al. 2016, section 4.2)."""

from typing import ClassVar

from gapwise.networks._residual import CifarResNet, Shortcut
from gapwise.networks.base import Published

__all__ = ["ResNet56"]


class ResNet56(CifarResNet):
    """The CIFAR-style residual network of 56 layers: three stages of nine blocks.

    853,018 parameters (the paper's 0.85M) at 3 channels and 10 outputs with the paper's shortcuts
    (option A: the identity, subsampled and padded with zero channels); 855,770 with projections
    (option B): as ResNet-20, and for each of the stages with w = 16, 32 and 64 filters six blocks
    more of 2·9·w² weights and 4·w numbers of batch norm. Without shortcuts it is the plain network
    whose training error the paper finds higher than that of 20 layers (figures 1 and 6).

    The notes blame vanishing gradients. The paper (section 4.1) finds none, thanks to batch norm;
    here the plain network's gradients grow towards its first layers, before training to a thousand
    times those of the last, while shortcuts keep all within a factor of ten or twenty.

    Args:
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        width: filters of the first stage; the next stages have two and four times as many.
        shortcut: ``pad`` (option A of the paper), ``projection`` (option B) or ``none`` (plain).
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="resnet56",
            input_shape=(3, 32, 32),
            outputs=10,
            notes="5.11",
            parameters=853_018,
            macs=125_485_696,
        ),
        Published(
            name="resnet56-projection",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"shortcut": "projection"},
            notes="5.11",
            parameters=855_770,
            macs=125_747_840,
        ),
        Published(
            name="resnet56-plain",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"shortcut": "none"},
            notes="5.11",
            parameters=853_018,
            macs=125_485_696,
        ),
    )

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        width: int = 16,
        shortcut: Shortcut = "pad",
    ) -> None:
        super().__init__(
            name="resnet56",
            blocks=9,
            input_shape=input_shape,
            outputs=outputs,
            width=width,
            shortcut=shortcut,
        )
