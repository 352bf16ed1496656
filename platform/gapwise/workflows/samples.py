"""Small pictures of some examples, as numbers that a terminal or a page can draw."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapwise.data.looks import picture_of
from gapwise.errors import shown
from gapwise.forms.words import as_text
from gapwise.records import ExampleSet

LARGEST = 20
MOST = 16


def pictures(examples: ExampleSet, wanted: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Return ``title`` (lines of text) and ``pixels`` of some examples that have pictures.

    Args:
        examples: the examples.
        wanted: source → ids; of several sources each gives an equal share of ``MOST``.
    """
    if picture_of(examples.inputs[0], examples.feature_names) is None:
        return []
    each = max(1, MOST // max(1, len(wanted)))
    ids = [name for names in wanted.values() for name in names[:each]][:MOST]
    position = {str(name): row for row, name in enumerate(examples.ids)}
    several = len(wanted) > 1
    return [_picture(examples, position[name], several) for name in ids]


def pixels(picture: NDArray[np.uint8]) -> list[Any]:
    """Return a picture (height, width[, 3]) as rows of greys, or of [red, green, blue].

    Its longer side is brought down to ``LARGEST``.
    """
    height, width = picture.shape[:2]
    scale = LARGEST / max(height, width)
    if scale >= 1:
        return list(picture.tolist())
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.BOX)
    return list(np.asarray(small).tolist())


def _picture(examples: ExampleSet, row: int, several: bool) -> dict[str, Any]:
    label = shown(as_text(examples.labels, examples.targets[row]), 40)
    title = [f"{label} · {shown(examples.sources[row], 40)}" if several else label]
    picture = picture_of(examples.inputs[row], examples.feature_names)
    return {
        "example_id": str(examples.ids[row]),
        "title": title,
        "pixels": pixels(picture) if picture is not None else [],
    }
