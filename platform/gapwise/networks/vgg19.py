"""VGG-19, whose features style transfer is known for (notes 8; Simonyan and Zisserman 2015)."""

from typing import ClassVar

from gapwise.networks._vgg import Stages, Vgg
from gapwise.networks.base import Published

__all__ = ["Vgg19"]


class Vgg19(Vgg):
    """Stages of 3×3 same convolutions, each ended by 2×2 max pooling, and three dense layers.

    143,667,240 parameters and 19.63 GMAC at 3×224×224 and 1000 outputs: configuration E of the
    paper, with its 16 convolutions; otherwise as ``vgg16``.

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

    name = "vgg19"
    stages: ClassVar[Stages] = {
        "published": ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
        "small": ((32, 32), (64, 64), (128,) * 4),
    }
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="vgg19",
            input_shape=(3, 224, 224),
            outputs=1000,
            notes="8.2",
            parameters=143_667_240,
            macs=19_632_062_464,
        ),
        Published(
            name="vgg19-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="8.2",
            parameters=1_175_786,
            macs=58_100_224,
        ),
    )
