"""Pictures with a class for every pixel, cut into tiles (notes 6.11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapwise.data.images import BadImageError, Limits, decode, read_bytes, read_header
from gapwise.errors import DataError
from gapwise.forms.mask import UNKNOWN_PIXEL
from gapwise.records import Quarantined


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How large pictures are cut: the overlap-tile way of Ronneberger et al. (2015).

    Attributes:
        tile: side of the piece that a tile is of, in pixels; 0 keeps pictures whole.
        margin: pixels around it that the network sees besides; at the picture's edge they are
            mirrored. Their classes are unknown, so that each pixel counts once.
    """

    tile: int = 0
    margin: int = 0

    def tiles(self, picture: NDArray[np.uint8], fill: int | None = None) -> list[NDArray[np.uint8]]:
        """Return the tiles of a picture (height, width), row by row.

        Args:
            picture: grey, or a mask.
            fill: what stands in the margin; None for what is around the piece.
        """
        side, margin = self.tile or max(picture.shape), self.margin
        height, width = picture.shape
        below, right = -height % side, -width % side
        if fill is None:
            pads = ((margin, margin + below), (margin, margin + right))
            around = np.pad(picture, pads, mode="reflect")
        else:
            around = np.pad(picture, ((0, below), (0, right)), constant_values=fill)
        found = []
        for top in range(0, height, side):
            for left in range(0, width, side):
                if fill is None:
                    end = side + 2 * margin
                    found.append(around[top : top + end, left : left + end])
                else:
                    piece = around[top : top + side, left : left + side]
                    found.append(np.pad(piece, margin, constant_values=fill))
        return found


def masks_of(file: Path, values: Mapping[int, int], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the classes of a mask file's pixels, (height, width).

    Args:
        file: a grey picture.
        values: its grey values → position of a class.
        shape: height and width of its picture.

    Raises:
        BadImageError: it cannot be read, is of another size, or has a value that is no class.
    """
    mask = _grey(file)
    if mask.shape != shape:
        told = f"is {mask.shape[0]}×{mask.shape[1]}, its picture {shape[0]}×{shape[1]}"
        raise BadImageError("mask-size", f"{told}; give it the picture's size")
    classes = np.full(256, UNKNOWN_PIXEL, np.uint8)
    for value, code in values.items():
        classes[value] = code
    found = classes[mask]
    strange = np.setdiff1d(np.unique(mask), list(values))
    if len(strange):
        wanted = ", ".join(map(str, sorted(values)))
        row = int(np.argmax((mask == strange[0]).any(1)))
        reason = f"holds the value {strange[0]} in row {row + 1}; its values are {wanted}"
        raise BadImageError("mask-value", reason)
    return found


def read_tiles(
    root: Path, folders: tuple[str, str], values: Mapping[int, int], tiling: Tiling
) -> tuple[dict[str, list[NDArray[np.uint8]]], list[str], list[Quarantined]]:
    """Return ``images`` and ``masks`` of all tiles, the tiles' ids, and what was set aside.

    Raises:
        DataError: there is no picture that can be used, or pictures differ in size.
    """
    files = sorted((f for f in (root / folders[0]).glob("*") if f.is_file()), key=_order)
    if not files:
        raise DataError(f"{root / folders[0]} holds no picture; give the folder of the pictures")
    found: dict[str, list[NDArray[np.uint8]]] = {"images": [], "masks": []}
    ids: list[str] = []
    aside: list[Quarantined] = []
    for file in files:
        item = f"{folders[0]}/{file.name}"
        try:
            picture = _grey(file)
            mask = masks_of(root / folders[1] / file.name, values, picture.shape)
        except BadImageError as error:
            aside.append(Quarantined(item=item, code=error.code, reason=error.reason))
            continue
        tiles = tiling.tiles(picture)
        found["images"] += tiles
        found["masks"] += tiling.tiles(mask, fill=UNKNOWN_PIXEL)
        ids += [item] if len(tiles) == 1 else [f"{item}#{k:02d}" for k in range(len(tiles))]
    sizes = {tile.shape for tile in found["images"]}
    if len(sizes) != 1:
        why = f"such as {aside[0].item} ({aside[0].reason})" if aside else ""
        what = f"pictures of {len(sizes)} sizes" if sizes else f"no picture that can be used {why}"
        raise DataError(f"{root} holds {what}; cut them into tiles with data.dataset.tile")
    return found, ids, aside


def blocks(ids: Sequence[str], length: int) -> NDArray[np.str_]:
    """Return a group for each tile: ``length`` pictures in a row are one, in their order."""
    names = [name.split("#")[0] for name in ids]
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.array([f"block {order[name] // length:03d}" for name in names])


def _grey(file: Path) -> NDArray[np.uint8]:
    content = read_bytes(file)
    header = read_header(content, Limits())
    grey: NDArray[np.uint8] = decode(content, header.height, header.width, 1)[0]
    return grey


def _order(file: Path) -> tuple[int, str]:
    """Numbers count as numbers: 2.png comes before 10.png."""
    return (int(file.stem), "") if file.stem.isdigit() else (1 << 62, file.name)
