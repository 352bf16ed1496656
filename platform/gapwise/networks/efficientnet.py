"""EfficientNet-B0 to -B7 (notes 5.15; Tan and Le 2019)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar, Literal

from torch import nn

from gapwise.networks._inverted import Stage, Style, inverted_stages, normed_unit, rounded
from gapwise.networks.base import Chain, Published, image_shape, initialize

__all__ = ["EfficientNet"]


@dataclass(frozen=True)
class Plan:
    """The layers before they are scaled.

    Attributes:
        stem: filters and stride of the first convolution.
        stages: of blocks.
        last: filters of the last convolution.
    """

    stem: tuple[int, int]
    stages: tuple[Stage, ...]
    last: int


@dataclass(frozen=True)
class Scale:
    """What a size makes of B0.

    Attributes:
        width: multiplies the filters of every layer.
        depth: multiplies the blocks of every stage.
        dropout: before the last layer.
    """

    width: float
    depth: float
    dropout: float


_B0 = Plan(
    (32, 2),
    (
        Stage(1, 16, 1, 1, 3),
        Stage(6, 24, 2, 2, 3),
        Stage(6, 40, 2, 2, 5),
        Stage(6, 80, 3, 2, 3),
        Stage(6, 112, 3, 1, 5),
        Stage(6, 192, 4, 2, 5),
        Stage(6, 320, 1, 1, 3),
    ),
    1280,
)
_SMALL = Plan(
    (16, 1),
    (
        Stage(1, 16, 1, 2, 3),
        Stage(3, 24, 2, 1, 3),
        Stage(4, 40, 2, 2, 5),
        Stage(4, 64, 2, 2, 3),
        Stage(4, 96, 1, 1, 3),
    ),
    384,
)
_SCALES = {
    "small": Scale(1.0, 1.0, 0.2),
    "b0": Scale(1.0, 1.0, 0.2),
    "b1": Scale(1.0, 1.1, 0.2),
    "b2": Scale(1.1, 1.2, 0.3),
    "b3": Scale(1.2, 1.4, 0.3),
    "b4": Scale(1.4, 1.8, 0.4),
    "b5": Scale(1.6, 2.2, 0.4),
    "b6": Scale(1.8, 2.6, 0.5),
    "b7": Scale(2.0, 3.1, 0.5),
}
_PUBLISHED = (
    ("b0", 224, 5_288_548, 385_814_752),
    ("b1", 240, 7_794_184, 686_802_832),
    ("b2", 260, 9_109_994, 993_561_872),
    ("b3", 300, 12_233_232, 1_827_141_392),
    ("b4", 380, 19_341_616, 4_393_771_024),
    ("b5", 456, 30_389_784, 10_266_384_752),
    ("b6", 528, 43_040_704, 19_067_593_536),
    ("b7", 600, 66_347_960, 37_745_884_192),
)
# Everybody's weights of these sizes were learned with the authors' batch norm, those of the others
# with torch's own; each gives right numbers under its own alone.
_ORIGINAL_NORM = ("b5", "b6", "b7")
_OUTER = {
    "features.0.0": "stem",
    "features.0.1": "stem_norm",
    "features.8.0": "last",
    "features.8.1": "last_norm",
    "classifier.1": "output",
}
# Behind torchvision's number of a part of a block; the first stage has no expansion.
_PARTS = [
    {"0": "expand", "1": "expand_norm"},
    {"0": "depthwise", "1": "depthwise_norm"},
    {"fc1": "excitation.squeeze", "fc2": "excitation.excite"},
    {"0": "project", "1": "project_norm"},
]


class EfficientNet(Chain):
    """MobileNet v2's blocks with an excitation each, widened and deepened together.

    Compound scaling answers the notes' question of how depth and width go with the resolution: for
    a coefficient φ they are 1.2^φ, 1.1^φ and 1.15^φ times B0's, so that the cost, which is as the
    depth and as the squares of the others, about doubles with each unit of φ. Filters are rounded
    to multiples of 8, blocks up. The sizes have the coefficients of the authors' code, which the
    paper does not print; at 3 channels, their own resolution and 1000 outputs:

    ====  =====  =====  ==========  ==========  ======
    size  width  depth  resolution  parameters    GMAC
    ====  =====  =====  ==========  ==========  ======
    b0      1.0    1.0         224   5,288,548   0.386
    b1      1.0    1.1         240   7,794,184   0.687
    b2      1.1    1.2         260   9,109,994   0.994
    b3      1.2    1.4         300  12,233,232   1.827
    b4      1.4    1.8         380  19,341,616   4.394
    b5      1.6    2.2         456  30,389,784  10.266
    b6      1.8    2.6         528  43,040,704  19.068
    b7      2.0    3.1         600  66,347,960  37.746
    ====  =====  =====  ==========  ==========  ======

    The paper's table 2 rounds, and calls multiply-accumulates "FLOPS". ``width`` and ``depth``
    scale any size further, one alone or both.

    Args:
        input_shape: (channels, height, width); every size takes every resolution.
        outputs: units of the last layer.
        size: ``b0`` to ``b7``, for large images; or ``small`` for 28×28 and 32×32: eight blocks,
            with fewer filters and smaller expansions, and two strides less.
        width: multiplies the filters of every layer, on top of the size.
        depth: multiplies the blocks of every stage, on top of the size.
        dropout: share of the last layer's inputs switched off while training (notes 3.4.2). null is
            the size's own, 0.2 to 0.5.
        stochastic_depth: share of examples for which a block's layers are left out while training,
            growing evenly from 0 at the first block to this behind the last (Huang et al. 2016).
    """

    published: ClassVar[tuple[Published, ...]] = (
        *(
            Published(
                name=f"efficientnet-{size}",
                input_shape=(3, resolution, resolution),
                outputs=1000,
                options={"size": size},
                notes="5.15",
                parameters=parameters,
                macs=macs,
            )
            for size, resolution, parameters, macs in _PUBLISHED
        ),
        Published(
            name="efficientnet-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="5.15",
            parameters=201_970,
            macs=6_730_720,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        size: Literal["small", "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"] = "b0",
        width: float = 1.0,
        depth: float = 1.0,
        dropout: float | None = None,
        stochastic_depth: float = 0.2,
    ) -> None:
        super().__init__()
        channels, _, _ = image_shape("efficientnet", input_shape)
        plan, scale = _SMALL if size == "small" else _B0, _SCALES[size]
        filters, stride = plan.stem
        planes = rounded(width * scale.width * filters)
        stages = scaled(plan.stages, width * scale.width, depth * scale.depth)
        last = rounded(width * scale.width * plan.last)
        style = Style(nn.SiLU, excited=True, drop=stochastic_depth)
        self.append(
            **normed_unit("stem", channels, planes, 3, stride, nn.SiLU()),
            blocks=inverted_stages(planes, stages, style),
            **normed_unit("last", stages[-1].filters, last, 1, 1, nn.SiLU()),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            dropout=nn.Dropout(scale.dropout if dropout is None else dropout),
            output=nn.Linear(last, outputs),
        )
        if size in _ORIGINAL_NORM:
            _set_norms(self, eps=1e-3, momentum=0.01)
        initialize(self)

    @classmethod
    def from_torchvision(cls, key: str) -> str:
        """Return our name of a weight that torchvision calls ``key``; others stay as they are."""
        layer, _, kind = key.rpartition(".")
        if layer in _OUTER:
            return f"{_OUTER[layer]}.{kind}"
        found = re.fullmatch(r"features\.([1-7])\.(\d+)\.block\.([0-3])\.(\w+)", layer)
        if found is None:
            return key
        stage, block, number = int(found[1]) - 1, found[2], int(found[3])
        parts = dict(enumerate(_PARTS if stage else _PARTS[1:]))
        part = parts.get(number, {}).get(found[4])
        return f"blocks.{stage}.{block}.main.{part}.{kind}" if part else key


def scaled(stages: Sequence[Stage], width: float, depth: float) -> list[Stage]:
    """Return the stages with ``width`` times the filters and ``depth`` times the blocks.

    Raises:
        ValueError: nothing is left.
    """
    if depth <= 0:
        raise ValueError(f"a stage would have {depth:g} times its blocks; depth must be above 0")
    return [
        replace(one, filters=rounded(width * one.filters), repeats=ceil(depth * one.repeats))
        for one in stages
    ]


def _set_norms(network: nn.Module, *, eps: float, momentum: float) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps, module.momentum = eps, momentum
