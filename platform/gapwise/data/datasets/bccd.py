"""BCCD: 364 blood smears of 640×480 with boxes around red cells, white cells and platelets.

Its authors publish it under the MIT licence as https://github.com/Shenggan/BCCD_Dataset, in VOC's
form. Two boxes have no area, and are set aside by name.
"""

from dataclasses import replace

from gapwise.data.base import ReadContext
from gapwise.data.datasets.voc import read_voc
from gapwise.data.remote import local_folder
from gapwise.data.store import Shape
from gapwise.records import ExampleSet

__all__ = ["bccd"]

CLASSES = ["RBC", "WBC", "Platelets"]
PLACE = "the folder BCCD of https://github.com/Shenggan/BCCD_Dataset"


def bccd(context: ReadContext, *, size: tuple[int, int] = (240, 320)) -> ExampleSet:
    """Read pictures and boxes from the folder ``bccd`` of ``GAPWISE_DATA``.

    Args:
        context: where data is found.
        size: height and width that pictures and boxes are brought to.

    Raises:
        DataError: the folder is not there.
    """
    root = local_folder(context.settings, "bccd", PLACE)
    found = read_voc(root, context, classes=CLASSES, shape=Shape(size=size, channels=3))
    return replace(found, name="bccd")
