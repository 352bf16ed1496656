"""30 neighbouring sections of a fly's nerve cord, every pixel membrane or cell.

Electron microscopy of 512×512 pixels (Cardona et al., 2010), for non-commercial research. Sections
next to each other are alike, so that five in a row are kept together.
"""

from dataclasses import replace

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.datasets.masks import read_masks
from gapwise.data.mask_set import Tiling
from gapwise.data.remote import local_folder
from gapwise.records import ExampleSet

__all__ = ["membrane"]

FOLDER = "membrane-isbi2012"
PLACE = "the folder train of ISBI’s challenge of 2012, with image/ and label/"


def membrane(context: ReadContext, *, tile: int = 128, margin: int = 16) -> ExampleSet:
    """Read the 30 labelled sections from the folder ``membrane-isbi2012`` of ``GAPWISE_DATA``.

    Args:
        context: where data is found.
        tile: side of the pieces that a section is cut into.
        margin: pixels around each piece that the network sees besides.

    Raises:
        DataError: the folder is not there.
    """
    root = local_folder(context.settings, FOLDER, PLACE) / "train"
    values = {"cell": 255, "membrane": 0}
    found = read_masks(root, ("image", "label"), values, Tiling(tile=tile, margin=margin), 5)
    return replace(found, name="membrane", sources=np.full(len(found), "membrane"))
