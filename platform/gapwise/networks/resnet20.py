"""ResNet-20 for small images (notes 5.11; He et al. 2016, section 4.2)."""

from typing import ClassVar

from gapwise.networks._residual import CifarResNet, Shortcut
from gapwise.networks.base import Published

__all__ = ["ResNet20"]


class ResNet20(CifarResNet):
    """The CIFAR-style residual network of 20 layers: three stages of three blocks.

    269,722 parameters at 3 channels and 10 outputs with the paper's shortcuts (option A: the
    identity, subsampled and padded with zero channels); 272,474 with projections (option B). Counts
    of 271,098 that one meets add the 1,376 running averages of batch norm, which are not trained.
    Without shortcuts it is the paper's plain network, of as many parameters as with option A.

    Args:
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        width: filters of the first stage; the next stages have two and four times as many.
        shortcut: ``pad`` (option A of the paper), ``projection`` (option B) or ``none`` (plain).
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="resnet20",
            input_shape=(3, 32, 32),
            outputs=10,
            notes="5.11",
            parameters=269_722,
            macs=40_551_040,
        ),
        Published(
            name="resnet20-projection",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"shortcut": "projection"},
            notes="5.11",
            parameters=272_474,
            macs=40_813_184,
        ),
        Published(
            name="resnet20-plain",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"shortcut": "none"},
            notes="5.11",
            parameters=269_722,
            macs=40_551_040,
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
            name="resnet20",
            blocks=3,
            input_shape=input_shape,
            outputs=outputs,
            width=width,
            shortcut=shortcut,
        )
