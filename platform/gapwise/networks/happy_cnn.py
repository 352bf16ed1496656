"""The network of the "happy" exercise (notes 5.9.1)."""

from typing import ClassVar

from torch import nn

from gapwise.networks.base import Chain, Published, Window, image_shape, initialize, size_after

__all__ = ["HappyCnn"]


class HappyCnn(Chain):
    """Zero padding, one convolution, batch norm, ReLU, 2×2 max pooling and a dense layer.

    37,569 parameters at 3×64×64 and one output, as in the notes' listing, whose convolution keeps
    the bias that batch norm makes meaningless (3.15); its sigmoid is the task's matter.

    Args:
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        filters: of the convolution.
        kernel: side of a filter, odd, so that zeros around the image can keep its size.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="happy-cnn",
            input_shape=(3, 64, 64),
            outputs=1,
            notes="5.9.1",
            parameters=37_569,
            macs=19_300_352,
        ),
        Published(
            name="happy-cnn-small",
            input_shape=(1, 28, 28),
            outputs=10,
            options={"filters": 16, "kernel": 5},
            notes="5.9.1",
            parameters=31_818,
            macs=344_960,
        ),
    )

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        filters: int = 32,
        kernel: int = 7,
    ) -> None:
        super().__init__()
        channels, height, width = image_shape("happy-cnn", input_shape)
        if kernel % 2 == 0:
            raise ValueError(f"kernel is {kernel}, but must be odd")
        padding = kernel // 2
        windows = (
            Window(f"convolution ({kernel}×{kernel})", kernel, padding=padding),
            Window("pool (2×2)", 2, stride=2),
        )
        height, width = size_after("happy-cnn", windows, (height, width))
        self.append(
            padding=nn.ZeroPad2d(padding),
            convolution=nn.Conv2d(channels, filters, kernel),
            norm=nn.BatchNorm2d(filters),
            activation=nn.ReLU(),
            pool=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            output=nn.Linear(filters * height * width, outputs),
        )
        initialize(self)
