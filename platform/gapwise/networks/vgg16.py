"""VGG-16 (notes 5.10.3; Simonyan and Zisserman 2015)."""

from typing import ClassVar

from gapwise.networks._vgg import Stages, Vgg
from gapwise.networks.base import Published

__all__ = ["Vgg16"]


class Vgg16(Vgg):
    """Stages of 3×3 same convolutions, each ended by 2×2 max pooling, and three dense layers.

    138,357,544 parameters and 15.47 GMAC at 3×224×224 and 1000 outputs: configuration D of the
    paper, with its 13 convolutions. It has no batch norm, which is younger. The paper started deep
    networks from shallow ones' weights; drawn as He et al. (2015) they train from scratch.

    Args:
        input_shape: (channels, height, width), at least 32×32, or 8×8 where small.
        outputs: units of the last layer.
        size: ``published``, for large images; or ``small`` for 28×28 and 32×32: the first three
            stages with half of the filters.
        width: multiplies the filters of every convolution.
        activation: what follows each layer but the last (notes 2.3).
        slope: of leaky ReLU below 0.
        batch_norm: normalise each convolution before or after its non-linearity (notes 3.15);
            before it, the convolution's bias is left out. null is ``none``, and ``before`` where
            small.
        dropout: share of the two dense layers before the last that is switched off while training
            (notes 3.4.2): one number, or one for each.
    """

    name = "vgg16"
    stages: ClassVar[Stages] = {
        "published": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
        "small": ((32, 32), (64, 64), (128, 128, 128)),
    }
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="vgg16",
            input_shape=(3, 224, 224),
            outputs=1000,
            notes="5.10.3",
            parameters=138_357_544,
            macs=15_470_264_320,
        ),
        Published(
            name="vgg16-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="5.10.3",
            parameters=1_028_074,
            macs=48_663_040,
        ),
    )
