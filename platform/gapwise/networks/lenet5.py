"""LeNet-5 (notes 5.10.1; LeCun et al. 1998)."""

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from gapwise.networks.activations import ActivationName, Nonlinearity, NormPlace
from gapwise.networks.base import (
    Chain,
    Published,
    Window,
    image_shape,
    initialize,
    shares,
    size_after,
)

__all__ = ["LeNet5"]


class LeNet5(Chain):
    """LeNet-5 with ReLU, max pooling and dense C3, as the notes advise.

    61,706 parameters at 1×32×32 and 10 outputs. The paper has 60,000: its C3 sees only some of the
    maps of S2, its pooling is trained, and its last layer is made of fixed prototypes.

    Args:
        input_shape: (channels, height, width), at least 16×16 without padding.
        outputs: units of the last layer.
        padding: zeros around the image; 2 makes the paper's 32×32 of MNIST's 28×28.
        activation: what follows each layer but the last (notes 2.3); the paper has tanh.
        slope: of leaky ReLU below 0.
        batch_norm: normalise each layer but the last before or after its non-linearity (notes
            3.15); before it, the layer's bias is left out.
        dropout: share of units switched off while training (notes 3.4.2): one number for C5 and
            F6, or one for each of C1, C3, C5 and F6.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="lenet5",
            input_shape=(1, 32, 32),
            outputs=10,
            notes="5.10.1",
            parameters=61_706,
            macs=416_520,
        ),
        Published(
            name="lenet5-small",
            input_shape=(1, 28, 28),
            outputs=10,
            notes="5.10.1",
            parameters=44_426,
            macs=281_640,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        padding: int = 0,
        activation: ActivationName = "relu",
        slope: float = 0.01,
        batch_norm: NormPlace = "none",
        dropout: float | Sequence[float] = 0.0,
    ) -> None:
        super().__init__()
        channels, height, width = image_shape("lenet5", input_shape)
        windows = (
            Window("C1 (5×5 convolution)", 5, padding=padding),
            Window("S2 (2×2 pooling)", 2, stride=2),
            Window("C3 (5×5 convolution)", 5),
            Window("S4 (2×2 pooling)", 2, stride=2),
        )
        height, width = size_after("lenet5", windows, (height, width))
        follow = Nonlinearity(activation, slope, batch_norm)
        dropped = shares(dropout, count=4, last=2)
        self.append(
            C1=nn.Conv2d(channels, 6, 5, padding=padding, bias=follow.bias),
            **follow.behind("C1", nn.BatchNorm2d(6), {"S2": nn.MaxPool2d(2)}, dropped[0]),
            C3=nn.Conv2d(6, 16, 5, bias=follow.bias),
            **follow.behind("C3", nn.BatchNorm2d(16), {"S4": nn.MaxPool2d(2)}, dropped[1]),
            flatten=nn.Flatten(),
            C5=nn.Linear(16 * height * width, 120, bias=follow.bias),
            **follow.behind("C5", nn.BatchNorm1d(120), dropout=dropped[2]),
            F6=nn.Linear(120, 84, bias=follow.bias),
            **follow.behind("F6", nn.BatchNorm1d(84), dropout=dropped[3]),
            output=nn.Linear(84, outputs),
        )
        initialize(self, follow.variance)
