"""MobileNet v2 (notes 5.14; Sandler et al. 2018)."""

import re
from dataclasses import replace
from typing import ClassVar, Literal

from torch import nn

from gapwise.networks._inverted import Stage, Style, inverted_stages, normed_unit, rounded
from gapwise.networks.base import Chain, Published, image_shape, initialize

__all__ = ["MobileNetV2"]

_STAGES = {
    "published": (
        Stage(1, 16, 1, 1),
        Stage(6, 24, 2, 2),
        Stage(6, 32, 3, 2),
        Stage(6, 64, 4, 2),
        Stage(6, 96, 3, 1),
        Stage(6, 160, 3, 2),
        Stage(6, 320, 1, 1),
    ),
    "small": (
        Stage(1, 16, 1, 2),
        Stage(3, 24, 2, 1),
        Stage(6, 32, 2, 2),
        Stage(6, 64, 3, 2),
        Stage(6, 96, 1, 1),
    ),
}
_STEM = {"published": (32, 2), "small": (16, 1)}
_LAST = {"published": 1280, "small": 384}
_PLACES = [
    f"blocks.{number}.{i}"
    for number, stage in enumerate(_STAGES["published"])
    for i in range(stage.repeats)
]
_OUTER = {
    "features.0.0": "stem",
    "features.0.1": "stem_norm",
    "features.18.0": "last",
    "features.18.1": "last_norm",
    "classifier.1": "output",
}


class MobileNetV2(Chain):
    """Seventeen blocks of expansion, depthwise convolution and projection, most of them residual.

    3,504,872 parameters and 0.301 GMAC at 3×224×224 and 1000 outputs. The expansion lets a block
    learn more complex functions and the projection keeps what must be stored small, as the notes
    say; that the projection is a pointwise convolution by another name is true but for its lack of
    a non-linearity (the paper's "linear bottleneck"). Ten of the 17 blocks have a residual
    connection: those that change neither size nor filters. The first has no expansion.

    Args:
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        size: ``published``, for large images; or ``small`` for 28×28 and 32×32: nine blocks, with
            fewer filters and two strides less.
        width: the paper's width multiplier α, for the filters of every layer, rounded to multiples
            of 8; the last convolution is only ever widened.
        dropout: share of the last layer's inputs switched off while training (notes 3.4.2).
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="mobilenet-v2",
            input_shape=(3, 224, 224),
            outputs=1000,
            notes="5.14",
            parameters=3_504_872,
            macs=300_774_272,
        ),
        Published(
            name="mobilenet-v2-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="5.14",
            parameters=270_514,
            macs=8_290_048,
        ),
    )

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        size: Literal["published", "small"] = "published",
        width: float = 1.0,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        channels, _, _ = image_shape("mobilenet-v2", input_shape)
        filters, stride = _STEM[size]
        planes = rounded(width * filters)
        stages = [replace(one, filters=rounded(width * one.filters)) for one in _STAGES[size]]
        last = rounded(max(1.0, width) * _LAST[size])
        self.append(
            **normed_unit("stem", channels, planes, 3, stride, nn.ReLU6()),
            blocks=inverted_stages(planes, stages, Style(nn.ReLU6)),
            **normed_unit("last", stages[-1].filters, last, 1, 1, nn.ReLU6()),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            dropout=nn.Dropout(dropout),
            output=nn.Linear(last, outputs),
        )
        initialize(self)

    @classmethod
    def from_torchvision(cls, key: str) -> str:
        """Return our name of a weight that torchvision calls ``key``; others stay as they are."""
        layer, _, kind = key.rpartition(".")
        if layer in _OUTER:
            return f"{_OUTER[layer]}.{kind}"
        found = re.fullmatch(r"features\.(\d+)\.conv\.(\d(?:\.[01])?)", layer)
        if found is None or not 1 <= int(found[1]) <= len(_PLACES):
            return key
        number = int(found[1]) - 1
        names = _inner(expanded=number > 0)
        return f"{_PLACES[number]}.main.{names[found[2]]}.{kind}" if found[2] in names else key


def _inner(*, expanded: bool) -> dict[str, str]:
    """Return torchvision's name in a block → ours: all but the projection have activations."""
    before = ["expand", "depthwise"] if expanded else ["depthwise"]
    names = {f"{i}.{j}": name + "_norm" * j for i, name in enumerate(before) for j in (0, 1)}
    return names | {f"{len(before)}": "project", f"{len(before) + 1}": "project_norm"}
