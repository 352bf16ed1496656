"""A folder of grey pictures, and one of masks with the same names (notes 6.11)."""

from pathlib import Path

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.mask_set import Tiling, blocks, read_tiles
from gapwise.errors import DataError
from gapwise.labels import Labels
from gapwise.records import ExampleSet

__all__ = ["masks"]


def masks(  # noqa: PLR0913 - what masks may need
    context: ReadContext,
    *,
    path: str,
    values: dict[str, int],
    pictures: str = "image",
    labels: str = "label",
    tile: int = 0,
    margin: int = 0,
    block: int = 1,
) -> ExampleSet:
    """Read pictures and masks, cut into tiles; ids are the pictures' paths and the tile's number.

    A mask of another size than its picture, or with a value that is no class, is set aside with it.

    Args:
        context: where relative paths begin.
        path: the root.
        values: class → its grey value in the masks; the first class is the background.
        pictures: folder of the pictures below the root.
        labels: folder of the masks below the root.
        tile: side of the pieces that large pictures are cut into; 0 keeps them whole.
        margin: pixels around each piece that the network sees besides.
        block: so many pictures in a row never straddle splits: neighbours in a stack are alike.

    Raises:
        DataError: there is no such folder, or nothing in it can be used.
    """
    folders = (pictures, labels)
    return read_masks(context.root / path, folders, values, Tiling(tile=tile, margin=margin), block)


def read_masks(
    root: Path, folders: tuple[str, str], values: dict[str, int], tiling: Tiling, block: int
) -> ExampleSet:
    """Read a folder; see ``masks``."""
    if len(values) < 2 or len(set(values.values())) < len(values):
        raise DataError(
            f"data.dataset.values is {values}; give two classes at least, each with its own value"
        )
    if block < 1 or tiling.tile < 0 or tiling.margin < 0:
        raise DataError(
            f"data.dataset: block is {block}, tile {tiling.tile} and margin {tiling.margin}; give "
            "a block of at least 1, tile and margin of at least 0"
        )
    codes = {value: code for code, value in enumerate(values.values())}
    found, ids, aside = read_tiles(root, folders, codes, tiling)
    images, targets = (np.stack(found[name]) for name in ("images", "masks"))
    extent = images.shape[1:]
    parent = [name.split("#")[0] for name in ids]
    return ExampleSet(
        name=root.resolve().name,
        inputs=images[:, None],
        targets=targets,
        labels=Labels(kind="mask", names=("class",), classes=(tuple(values),), extent=extent),
        ids=np.array(ids),
        sources=np.full(len(ids), root.resolve().name),
        groups=blocks(ids, block),
        metadata={"picture": np.array(parent)},
        quarantine=tuple(aside),
    )
