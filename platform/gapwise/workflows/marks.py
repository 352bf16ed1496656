"""What lies on a picture under a run's predictions: read from the table, matched, to be drawn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, shown
from gapwise.forms import boxes, mask, points
from gapwise.labels import Labels
from gapwise.metrics.boxes import match
from gapwise.records import Predictions
from gapwise.reports.overlay_svg import BoxMark, Marks, PointMark

OVERLAP = 0.5
"""Intersection over union from which a box is of an object, on pages."""


def marks_of(table: Predictions, row: int) -> Marks | None:
    """Return what is true and what was said of one example; None where nothing can be drawn.

    Raises:
        DataError: the row holds no such JSON as its labels tell.
    """
    labels = table.labels
    made = {"boxes": _boxes, "points": _points, "mask": _mask}.get(labels.kind)
    if made is None or len(labels.extent) != 2:
        return None
    try:
        return made(labels, str(table.target[row]), str(table.predicted[row]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{table.split}, example {shown(table.example_id[row])}: target or prediction is not "
            f"of the form {labels.kind} ({shown(error, 80)}); write the table anew"
        ) from error


def _boxes(labels: Labels, target: str, predicted: str) -> Marks:
    true = boxes.read(target)
    said = [box for box in boxes.read(predicted) if box.is_sure]
    found = match(_array(labels, said), _array(labels, true)[:, :5], OVERLAP)
    height, width = labels.extent
    drawn = [
        BoxMark(
            state="found" if place >= 0 else "false",
            words=f"{box.name} {box.score:.2f}",
            **_corners(box),
        )
        for box, place in zip(said, found.objects, strict=True)
    ]
    drawn += [
        BoxMark(state="true" if seen else "missed", words="" if seen else box.name, **_corners(box))
        for box, seen in zip(true, found.found, strict=True)
    ]
    return Marks(height=height, width=width, boxes=drawn)


def _points(labels: Labels, target: str, predicted: str) -> Marks:
    height, width = labels.extent
    pairs = zip(points.read(predicted), points.read(target), strict=True)
    return Marks(
        height=height,
        width=width,
        points=[PointMark(said=said, true=true) for said, true in pairs],
    )


def _mask(labels: Labels, target: str, predicted: str) -> Marks:
    true, said = mask.read(target), mask.read(predicted)
    known = (true != mask.UNKNOWN_PIXEL) & (said != mask.UNKNOWN_PIXEL)
    right = true == said
    height, width = labels.extent
    return Marks(
        height=height,
        width=width,
        pixels=(
            ("found", known & right & (true > 0)),
            ("false", known & ~right & (said > 0)),
            ("missed", known & ~right & (said == 0)),
        ),
    )


def _corners(box: boxes.Box) -> dict[str, Any]:
    return {"x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1}


def _array(labels: Labels, found: list[boxes.Box]) -> NDArray[np.float32]:
    codes = {name: code for code, name in enumerate(labels.classes[0])}
    rows = [(codes[box.name], *box[1:5], box.score) for box in found]
    return np.array(rows, np.float32).reshape(-1, 6)
