"""Boxes as PASCAL VOC has them: a folder of pictures, and an xml file for each."""

import math
from pathlib import Path
from xml.etree import ElementTree

from gapwise.data.base import ReadContext
from gapwise.data.box_set import Annotated, RawBox, box_set
from gapwise.data.image_set import ImageSource
from gapwise.data.images import Limits
from gapwise.data.store import Shape
from gapwise.errors import DataError, shown
from gapwise.records import ExampleSet, Quarantined

__all__ = ["voc"]

CORNERS = ("xmin", "ymin", "xmax", "ymax")
LONGEST = 4_000_000
"""Bytes of an annotation file."""


def voc(  # noqa: PLR0913 - what a folder of annotations may need
    context: ReadContext,
    *,
    path: str,
    pictures: str = "JPEGImages",
    annotations: str = "Annotations",
    classes: list[str] | None = None,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> ExampleSet:
    """Read every annotation and the picture that it names; ids are the pictures' paths.

    Boxes that leave the picture, are reversed or empty, or of an unknown class are set aside, each
    by the number of its object.

    Args:
        context: where relative paths begin.
        path: the root.
        pictures: folder of the pictures below it.
        annotations: folder of the xml files below it.
        classes: class names in order; by default those that occur.
        size: height and width that pictures and boxes are brought to; by default the commonest.
        channels: 1 or 3; by default 1 where all pictures are grey.

    Raises:
        DataError: there is no such folder, or it holds no annotation.
    """
    return read_voc(
        context.root / path,
        context,
        folders=(pictures, annotations),
        classes=classes,
        shape=Shape(size=size, channels=channels),
    )


def read_voc(
    root: Path,
    context: ReadContext,
    *,
    folders: tuple[str, str] = ("JPEGImages", "Annotations"),
    classes: list[str] | None = None,
    shape: Shape | None = None,
) -> ExampleSet:
    """Read a folder of VOC's form; see ``voc``."""
    files = sorted((root / folders[1]).glob("*.xml"))
    if not files:
        raise DataError(
            f"data.dataset.path: {root / folders[1]} holds no annotation (.xml); give the folder "
            f"that has {folders[0]} and {folders[1]}"
        )
    found: list[Annotated] = []
    aside: list[Quarantined] = []
    for file in files:
        try:
            found.append(_annotated(file, folders[0]))
        except _BadError as error:
            item = file.relative_to(root).as_posix()
            aside.append(Quarantined(item=item, code="annotation", reason=str(error)))
    return box_set(
        ImageSource(
            root=root, cache=context.settings.cache, shape=shape or Shape(), limits=Limits()
        ),
        found,
        root.resolve().name,
        classes,
        quarantine=aside,
    )


class _BadError(Exception):
    """An annotation that cannot be read, with the reason."""


def _annotated(file: Path, pictures: str) -> Annotated:
    if file.stat().st_size > LONGEST:
        raise _BadError(f"{file.stat().st_size:,} bytes are no annotation of one picture")
    text = file.read_text(encoding="utf-8", errors="replace")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _BadError("it declares entities, which no annotation needs; take them out")
    try:
        tree = ElementTree.fromstring(text)  # entities are refused above
    except ElementTree.ParseError as error:
        raise _BadError(f"it is no xml that can be read ({error})") from error
    name = tree.findtext("filename", "").strip() or f"{file.stem}.jpg"
    width, height = (_number(tree, f"size/{side}", "size") for side in ("width", "height"))
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise _BadError(f"its picture is stated to be {width:g}×{height:g} pixels; state its size")
    boxes = [_box(one, number) for number, one in enumerate(tree.findall("object"), 1)]
    path = f"{pictures}/{Path(name).name}"
    return Annotated(path=path, width=int(width), height=int(height), boxes=boxes)


def _box(one: ElementTree.Element, number: int) -> RawBox:
    place = f"object {number}"
    name = one.findtext("name", "").strip()
    x0, y0, x1, y1 = (_number(one, f"bndbox/{key}", place) for key in CORNERS)
    return RawBox(name, x0, y0, x1, y1, place)


def _number(element: ElementTree.Element, key: str, place: str) -> float:
    text = element.findtext(key)
    if text is None:
        raise _BadError(f"{place} has no {key}; write it")
    try:
        return float(text)
    except ValueError as error:
        raise _BadError(f"{place}: {key} is {shown(text, 40)!r}, not a number") from error
