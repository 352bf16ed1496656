"""The ORL Database of Faces: 40 people, ten pictures each (AT&T Laboratories Cambridge).

Samaria and Harter (1994). People are kept together.
"""

from typing import Final

import numpy as np
from PIL import Image

from gapwise.data.base import ReadContext
from gapwise.data.datasets.people import of_people
from gapwise.data.remote import local_folder
from gapwise.errors import DataError
from gapwise.labels import one_class
from gapwise.records import ExampleSet

__all__ = ["orl_faces"]

FOLDER: Final = "orl-faces"
PLACE: Final = "the folders s1 to s40 with ten .pgm pictures each"


def orl_faces(context: ReadContext, *, size: tuple[int, int] = (56, 46)) -> ExampleSet:
    """Read the pictures from the folder ``orl-faces`` of ``GAPWISE_DATA``.

    Args:
        context: where datasets are.
        size: height and width that the pictures of 112×92 are brought to.

    Raises:
        DataError: the folder is not there, or a picture cannot be read.
    """
    root = local_folder(context.settings, FOLDER, PLACE)
    files = sorted(root.glob("s*/*.pgm"), key=lambda file: (int(file.parent.name[1:]), file.stem))
    if not files:
        raise DataError(f"{root} holds no s1/1.pgm and so on; get it anew")
    height, width = size
    pictures = []
    for file in files:
        try:
            with Image.open(file, formats=["PPM"]) as opened:
                grey = opened.convert("L").resize((width, height), Image.Resampling.BOX)
        except (OSError, ValueError) as error:
            raise DataError(f"{file} cannot be read ({error}); get it anew") from error
        pictures.append(np.asarray(grey))
    people = tuple(dict.fromkeys(file.parent.name for file in files))
    position = {name: place for place, name in enumerate(people)}
    return of_people(
        ExampleSet(
            name=FOLDER,
            inputs=np.stack(pictures)[:, None],
            targets=np.array([position[file.parent.name] for file in files], np.int64),
            classes=people,
            labels=one_class(people),
            ids=np.array([file.relative_to(root).as_posix() for file in files]),
            sources=np.full(len(files), "faces"),
        )
    )
