"""Boxes as COCO has them: a folder of pictures, and one JSON file for all of them."""

import json
from pathlib import Path
from typing import Any

from gapwise.data.base import ReadContext
from gapwise.data.box_set import Annotated, RawBox, box_set
from gapwise.data.image_set import ImageSource
from gapwise.data.images import Limits
from gapwise.data.store import Shape
from gapwise.errors import DataError, shown
from gapwise.records import ExampleSet

__all__ = ["coco"]


def coco(
    context: ReadContext,
    *,
    path: str,
    pictures: str = "",
    classes: list[str] | None = None,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> ExampleSet:
    """Read ``images``, ``annotations`` and ``categories``; ids are the pictures' file names.

    Boxes are ``[left, top, width, height]`` in pixels; those that leave the picture, are reversed
    or empty, or of an unknown class are set aside, each by its id. Crowds are left out.

    Args:
        context: where relative paths begin.
        path: the JSON file.
        pictures: the folder of the pictures; by default the file's own.
        classes: class names in order; by default those that occur.
        size: height and width that pictures and boxes are brought to; by default the commonest.
        channels: 1 or 3; by default 1 where all pictures are grey.

    Raises:
        DataError: the file cannot be read, lacks a part, or an entry of it lacks a key.
    """
    file = context.root / path
    document = _document(file)
    try:
        found = _annotated(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(
            f"{file}: an entry is not of COCO's form ({type(error).__name__}: {shown(error, 80)}); "
            "images need id, file_name, width and height, annotations image_id, category_id and "
            "bbox, categories id and name"
        ) from error
    root = context.root / pictures if pictures else file.parent
    shape = Shape(size=size, channels=channels)
    source = ImageSource(root=root, cache=context.settings.cache, shape=shape, limits=Limits())
    return box_set(source, found, file.stem, classes)


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"there is no {file}; give the path of a COCO file") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{file} is no JSON that can be read ({shown(error, 120)}); export it anew"
        ) from error
    for part in ("images", "annotations", "categories"):
        if not isinstance(document, dict) or not isinstance(document.get(part), list):
            raise DataError(
                f"{file} has no list {part!r}; a COCO file of boxes has images, annotations and "
                "categories"
            )
    return dict(document)


def _annotated(document: dict[str, Any]) -> list[Annotated]:
    names = {one["id"]: str(one["name"]) for one in document["categories"]}
    boxes: dict[Any, list[RawBox]] = {one["id"]: [] for one in document["images"]}
    for one in document["annotations"]:
        if one.get("iscrowd"):
            continue
        left, top, width, height = map(float, one["bbox"])
        name = names.get(one["category_id"], f"category {one['category_id']}")
        place = f"annotation {one.get('id', '?')}"
        box = RawBox(name, left, top, left + width, top + height, place)
        boxes[one["image_id"]].append(box)
    return [_picture(one, boxes[one["id"]]) for one in document["images"]]


def _picture(one: dict[str, Any], boxes: list[RawBox]) -> Annotated:
    width, height = int(one["width"]), int(one["height"])
    if not (width > 0 and height > 0):
        raise ValueError(f"image {shown(one['id'])} is stated to be {width}×{height} pixels")
    return Annotated(path=str(one["file_name"]), width=width, height=height, boxes=boxes)
