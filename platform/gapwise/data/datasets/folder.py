"""A folder of images by class: ``root/<class>/…/picture.jpg``."""

from pathlib import Path

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.image_set import ImageRows, ImageSource, image_set
from gapwise.data.images import Limits
from gapwise.data.labels import from_names
from gapwise.data.store import Shape
from gapwise.errors import DataError
from gapwise.labels import one_class
from gapwise.records import ExampleSet

__all__ = ["folder"]

# What looks like an image is tried, so that a wrong one is counted; other files are only noted.
PICTURES = {
    *(".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".svg"),
    *(".heic", ".avif", ".jfif", ".ppm", ".pgm"),
}


def folder(  # noqa: PLR0913 - what a folder of images may need
    context: ReadContext,
    *,
    path: str,
    classes: list[str] | None = None,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    min_side: int = 4,
    max_megapixels: float = 50.0,
) -> ExampleSet:
    """Read the images under each class's folder; ids are paths relative to the root.

    Args:
        context: where relative paths begin.
        path: the root.
        classes: class names in order; by default the folders' names.
        size: height and width of all images; by default the commonest.
        channels: 1 or 3; by default 1 where all images are grey.
        min_side: images with a shorter side are set aside.
        max_megapixels: larger images are set aside before they are decoded.

    Raises:
        DataError: there is no such folder, it holds no images, or a folder is no class.
    """
    root = context.root / path
    if not root.is_dir():
        raise DataError(
            f"data.dataset.path: there is no folder {root}; give one with a folder a class"
        )
    paths, ignored = _pictures(root)
    if not paths:
        raise DataError(
            f"{root} holds no images in folders by class; put them into {root}/<class>/"
        )
    names = [text.split("/", 1)[0] for text in paths]
    targets, found = from_names(names, classes, [str(root / text) for text in paths])
    return image_set(
        ImageSource(
            root=root,
            cache=context.settings.cache,
            shape=Shape(size=size, channels=channels),
            limits=Limits(min_side=min_side, max_megapixels=max_megapixels),
        ),
        ImageRows(
            paths=paths,
            columns={
                "ids": np.array(paths),
                "targets": targets,
                "sources": np.full(len(paths), root.resolve().name),
            },
        ),
        root.resolve().name,
        one_class(found),
        {"notes": (f"{ignored} files that are no images are ignored.",) if ignored else ()},
    )


def _pictures(root: Path) -> tuple[list[str], int]:
    """Return the pictures' paths relative to the root, sorted, and how many files are none."""
    paths: list[str] = []
    ignored = 0
    for file in sorted(root.glob("*/**/*")):
        relative = file.relative_to(root)
        if file.is_dir() or any(part.startswith(".") for part in relative.parts):
            continue
        if file.suffix.lower() in PICTURES:
            paths.append(relative.as_posix())
        else:
            ignored += 1
    return paths, ignored
