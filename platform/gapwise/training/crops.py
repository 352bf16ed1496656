"""Several crops of each picture at test time, their scores averaged (notes 5.18: 10-crop)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gapwise.errors import PipelineError
from gapwise.inputs import told
from gapwise.training.model import Model


@dataclass(frozen=True, kw_only=True)
class Crops:
    """Which parts of a picture are looked at when a network predicts.

    Attributes:
        count: 1, the picture itself; 5, the four corners and the centre of the picture with zeros
            around it; 10, these and their mirror images.
        margin: pixels of zeros on each side; crops have the picture's size.
    """

    count: int = 1
    margin: int = 2

    def views(self, images: Tensor) -> list[Tensor]:
        """Return ``count`` batches as large as ``images``: (n, channels, height, width)."""
        if self.count == 1:
            return [images]
        height, width = images.shape[2:]
        far, middle = 2 * self.margin, self.margin
        padded = F.pad(images, (self.margin,) * 4)
        corners = ((0, 0), (0, far), (far, 0), (far, far), (middle, middle))
        crops = [padded[:, :, y : y + height, x : x + width] for y, x in corners]
        return crops if self.count == 5 else crops + [crop.flip(3) for crop in crops]


def read_crops(
    pipeline: Mapping[str, Any],
    input_shape: tuple[int, ...],
    *,
    is_drawn: bool = False,
) -> Crops:
    """Return what a resolved pipeline's ``prediction`` asks for; one that has none asks for 1.

    Args:
        pipeline: resolved, as plain values.
        input_shape: of one example.
        is_drawn: whether targets lie on the picture (``Labels.is_drawn``).

    Raises:
        PipelineError: several crops of what is no picture, or whose targets lie on it, or a margin
            as large as the picture.
    """
    asked = pipeline.get("prediction", {})
    crops = Crops(count=asked.get("crops", 1), margin=asked.get("margin", 2))
    if crops.count == 1:
        return crops
    if len(input_shape) != 3:
        raise PipelineError(
            f"prediction.crops is {crops.count}, but the examples are {told(input_shape)}, "
            "which are no pictures; set it to 1"
        )
    if is_drawn:
        raise PipelineError(
            f"prediction.crops is {crops.count}, but what is predicted has a place on the picture, "
            "which is another in each crop; set it to 1"
        )
    if crops.margin >= min(input_shape[1:]):
        raise PipelineError(
            f"prediction.margin is {crops.margin} pixels, so that the corners of pictures of "
            f"{input_shape[1]}×{input_shape[2]} hold nothing of them; set less than "
            f"{min(input_shape[1:])}"
        )
    return crops


def outputs_of_crops(model: Model, inputs: Tensor, crops: Crops) -> Tensor:
    """Return (n, units) float32: outputs whose scores are the mean of those of all crops.

    The loss that the task reads from them is that of the mean score (−log of the mean probability
    of the true class, say), not the mean of the crops' losses.
    """
    if crops.count == 1:
        outputs: Tensor = model(inputs).float()
        return outputs
    made = [model(view).float() for view in crops.views(inputs)]
    return model.task.averaged(torch.stack(made))
