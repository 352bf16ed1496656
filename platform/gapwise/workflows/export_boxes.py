"""`gapwise boxes`: true and predicted boxes of a run, as other tools read them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from gapwise.errors import StorageError, UsageError, shown
from gapwise.forms import boxes
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.looking import count_looks

Kind = Literal["coco", "voc"]
"""``coco``: a JSON file a kind of box; ``voc``: an xml file an example and kind of box."""


def export_boxes(
    run_ref: str, split: str, kind: Kind, folder: Path, settings: Settings | None = None
) -> tuple[list[Path], int]:
    """Write what is true and what a run said of a split's pictures into a new folder.

    ``coco`` writes ``true.json`` (images, annotations, categories) and ``predicted.json`` (COCO's
    results, every box with its score); ``voc`` writes ``true/`` and ``predicted/``, an xml file an
    example, of predicted boxes those that count. A look at test is counted.

    Returns:
        The files or folders, and how many examples.

    Raises:
        UsageError: the run predicts no boxes of that split, or the folder is there already.
        StorageError: it cannot be written.
    """
    settings = settings or Settings.read()
    run = RunStore(settings).open(run_ref)
    path = run.predictions_path(split)
    table = None if path is None else tables.read(path, split=split)
    if table is None or table.labels.kind != "boxes":
        held = "no predictions" if table is None else f"predictions of {table.labels.told}"
        raise UsageError(f"run {shown(run_ref)} has {held} of {split}; name a run that detects")
    if folder.exists():
        raise UsageError(f"{folder} is there already; name a new folder with --output")
    if split == "test":
        count_looks([run], settings)
    try:
        folder.mkdir(parents=True)
        write = _coco if kind == "coco" else _voc
        return write(table, folder), len(table)
    except OSError as error:
        raise StorageError(
            f"cannot write {folder}: {error.strerror or error}; name another with --output"
        ) from error


def _coco(table: Predictions, folder: Path) -> list[Path]:
    height, width = table.labels.extent
    codes = {name: code for code, name in enumerate(table.labels.classes[0], 1)}
    true: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []
    for row in range(len(table)):
        for box in boxes.read(str(table.target[row])):
            one = _entry(box, row + 1, codes)
            true.append(one | {"id": len(true) + 1, "iscrowd": 0, "area": _area(box)})
        for box in boxes.read(str(table.predicted[row])):
            said.append(_entry(box, row + 1, codes) | {"score": box.score})
    images = [
        {"id": row + 1, "file_name": str(name), "width": width, "height": height}
        for row, name in enumerate(table.example_id)
    ]
    categories = [{"id": code, "name": name} for name, code in codes.items()]
    whole = {"images": images, "annotations": true, "categories": categories}
    files = [folder / "true.json", folder / "predicted.json"]
    for file, document in zip(files, (whole, said), strict=True):
        file.write_text(json.dumps(document), encoding="utf-8")
    return files


def _entry(box: boxes.Box, image: int, codes: dict[str, int]) -> dict[str, Any]:
    side = [round(box.x1 - box.x0, 2), round(box.y1 - box.y0, 2)]
    return {"image_id": image, "category_id": codes[box.name], "bbox": [box.x0, box.y0, *side]}


def _area(box: boxes.Box) -> float:
    return round((box.x1 - box.x0) * (box.y1 - box.y0), 2)


def _voc(table: Predictions, folder: Path) -> list[Path]:
    made = [folder / "true", folder / "predicted"]
    for place, column in zip(made, (table.target, table.predicted), strict=True):
        place.mkdir()
        for row, name in enumerate(table.example_id):
            known = [box for box in boxes.read(str(column[row])) if box.is_sure]
            tree = _annotation(str(name), table.labels.extent, known)
            ElementTree.ElementTree(tree).write(place / f"{row:06d}.xml", encoding="utf-8")
    return made


def _annotation(
    name: str, extent: Sequence[int], found: Sequence[boxes.Box]
) -> ElementTree.Element:
    tree = ElementTree.Element("annotation")
    ElementTree.SubElement(tree, "filename").text = name
    size = ElementTree.SubElement(tree, "size")
    for key, value in zip(("height", "width"), extent, strict=True):
        ElementTree.SubElement(size, key).text = str(value)
    for box in found:
        thing = ElementTree.SubElement(tree, "object")
        ElementTree.SubElement(thing, "name").text = box.name
        place = ElementTree.SubElement(thing, "bndbox")
        for key, side in zip(("xmin", "ymin", "xmax", "ymax"), box[1:5], strict=True):
            ElementTree.SubElement(place, key).text = f"{side:g}"
    return tree
