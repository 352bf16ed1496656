"""MobileNet v1 (notes 5.14; Howard et al. 2017)."""

from typing import ClassVar, Literal

from torch import nn

from gapwise.networks._inverted import rounded
from gapwise.networks._residual import normed
from gapwise.networks.activations import ActivationName, Nonlinearity
from gapwise.networks.base import Chain, Published, image_shape, initialize

__all__ = ["MobileNetV1"]

# Filters and stride of the first convolution, then of each depthwise separable one.
_PLANS = {
    "published": (
        (32, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
        (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
    ),
    "small": (
        (16, 1), (32, 2), (64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (256, 1),
    ),
}  # fmt: skip


class MobileNetV1(Chain):
    """A convolution, thirteen depthwise separable convolutions and a dense layer.

    4,231,976 parameters and 0.569 GMAC at 3×224×224 and 1000 outputs. Each separable convolution is
    a depthwise one, whose filters see a channel each, and a pointwise one (1×1), both with batch
    norm and ReLU: for f×f filters, n of them, 1/n + 1/f² of a normal convolution's cost. (The
    released TensorFlow code cuts ReLU off at 6; the paper, followed here, does not.)

    The paper's table 1 gives the last separable convolution stride 2, which its sizes (7×7 before
    and after) contradict; it has stride 1, as in everybody's counts.

    Args:
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        size: ``published``, for large images; or ``small`` for 28×28 and 32×32: eight separable
            convolutions, with fewer filters and two strides less.
        width: the paper's width multiplier α, for the filters of every layer, rounded to multiples
            of 8.
        activation: what follows each convolution (notes 2.3).
        slope: of leaky ReLU below 0.
        dropout: share of the last layer's inputs switched off while training (notes 3.4.2).
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="mobilenet-v1",
            input_shape=(3, 224, 224),
            outputs=1000,
            notes="5.14",
            parameters=4_231_976,
            macs=568_740_352,
        ),
        Published(
            name="mobilenet-v1-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="5.14",
            parameters=210_858,
            macs=6_803_968,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        size: Literal["published", "small"] = "published",
        width: float = 1.0,
        activation: ActivationName = "relu",
        slope: float = 0.01,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        planes, _, _ = image_shape("mobilenet-v1", input_shape)
        follow = Nonlinearity(activation, slope, "before")
        for i, (filters, stride) in enumerate(_PLANS[size]):
            wide = rounded(width * filters)
            if i == 0:
                self._append("convolution", normed(planes, wide, 3, stride=stride), follow)
            else:
                deep = normed(planes, planes, 3, stride=stride, groups=planes)
                self._append(f"depthwise{i}", deep, follow)
                self._append(f"pointwise{i}", normed(planes, wide, 1), follow)
            planes = wide
        self.append(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
        if dropout:
            self.append(dropout=nn.Dropout(dropout))
        self.append(output=nn.Linear(planes, outputs))
        initialize(self, follow.variance)

    def _append(
        self, name: str, layers: tuple[nn.Conv2d, nn.BatchNorm2d], follow: Nonlinearity
    ) -> None:
        convolution, norm = layers
        self.append(**{name: convolution}, **follow.behind(name, norm))
