"""Pictures with boxes around objects: what the readers of VOC and COCO share (FAULTS L4).

A box that cannot be is set aside by name, and the picture kept with its others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gapwise.data.image_set import ImageRows, ImageSource, image_set
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.forms.boxes import padded
from gapwise.labels import Labels
from gapwise.records import ExampleSet, Quarantined

SLACK = 1.0
"""Pixels that a box may leave the picture by, since tools count from 0 or from 1; it is cut off."""


class RawBox(NamedTuple):
    """A box as a file has it: class, corners in pixels of the file's picture, where it stands."""

    name: str
    x0: float
    y0: float
    x1: float
    y1: float
    place: str


@dataclass(frozen=True, kw_only=True)
class Annotated:
    """One picture: its path below the root, its stated width and height, and its boxes."""

    path: str
    width: int
    height: int
    boxes: Sequence[RawBox]


def box_set(
    source: ImageSource,
    pictures: Sequence[Annotated],
    name: str,
    classes: Sequence[str] | None,
    *,
    quarantine: Sequence[Quarantined] = (),
) -> ExampleSet:
    """Decode the pictures and give each its boxes, scaled as the picture is.

    Args:
        source: where the pictures lie, and the size that they are brought to.
        pictures: what is known of each.
        name: the dataset's name.
        classes: class names in order; by default those that occur, in the order of the alphabet.
        quarantine: what the reader itself set aside.

    Raises:
        DataError: there are no pictures, or none has a box.
    """
    named = sorted({box.name for one in pictures for box in one.boxes})
    if not named:
        raise DataError(f"{source.root}: no picture has a box; detection needs some")
    known = tuple(classes) if classes else tuple(named)
    aside = list(quarantine)
    boxes = [_good(one, known, aside) for one in pictures]
    rows = ImageRows(
        paths=[one.path for one in pictures],
        columns={
            "ids": np.array([one.path for one in pictures]),
            "targets": padded(boxes),
            "sources": np.full(len(pictures), name),
        },
        metadata={"objects": np.array([len(found) for found in boxes])},
    )
    unsized = Labels(kind="boxes", names=("object",), classes=(known,))
    made = image_set(source, rows, name, unsized, {"quarantine": tuple(aside)})
    sizes = {one.path: (one.width, one.height) for one in pictures}
    return _scaled(made, sizes)


def _scaled(made: ExampleSet, sizes: dict[str, tuple[int, int]]) -> ExampleSet:
    height, width = made.inputs.shape[2:]
    targets = np.array(made.targets)
    for row, name in enumerate(made.ids):
        own_width, own_height = sizes[str(name)]
        targets[row, :, 1::2] *= width / own_width
        targets[row, :, 2::2] *= height / own_height
    labels = replace(made.labels, extent=(height, width))
    return replace(made, targets=targets, labels=labels)


def _good(
    picture: Annotated, classes: Sequence[str], aside: list[Quarantined]
) -> NDArray[np.float32]:
    """Return (k, 5) class and corners of the boxes that can be; the others go aside."""
    found: list[tuple[float, ...]] = []
    for box in picture.boxes:
        code, reason = _refusal(box, picture, classes)
        if code:
            aside.append(Quarantined(item=f"{picture.path}: {box.place}", code=code, reason=reason))
            continue
        low = (max(0.0, box.x0), max(0.0, box.y0))
        high = (min(float(picture.width), box.x1), min(float(picture.height), box.y1))
        found.append((classes.index(box.name), *low, *high))
    return np.array(found, np.float32).reshape(-1, 5)


def _refusal(box: RawBox, picture: Annotated, classes: Sequence[str]) -> tuple[str, str]:
    """Return code and reason of a box that cannot be, "" for one that can."""
    told = f"box {box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g}"
    if box.name not in classes:
        near = did_you_mean(box.name, classes)
        return "unknown-class", f"class {shown(box.name)!r} is not known; {near}"
    if not all(map(math.isfinite, box[1:5])):
        return "box-not-finite", f"{told} has a number that is not finite; draw it again"
    if box.x1 < box.x0 or box.y1 < box.y0:
        return "box-reversed", f"{told} ends before it begins; swap its corners"
    if box.x1 == box.x0 or box.y1 == box.y0:
        return "box-empty", f"{told} has no area; draw it again or take it out"
    beyond = max(-box.x0, -box.y0, box.x1 - picture.width, box.y1 - picture.height)
    if beyond > SLACK:
        size = f"{picture.width}×{picture.height}"
        return "box-outside", f"{told} leaves the picture of {size} pixels; draw it again"
    return "", ""
