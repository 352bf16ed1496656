"""Pictures of people in a folder each: a person is a class, and stands in one split alone."""

from collections import Counter
from dataclasses import replace

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.datasets.folder import folder
from gapwise.records import ExampleSet, Quarantined

__all__ = ["people"]


def people(
    context: ReadContext,
    *,
    path: str,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    min_side: int = 4,
    max_megapixels: float = 50.0,
) -> ExampleSet:
    """Read the pictures under each person's folder, for task verify.

    Who has one picture alone is set aside: there is nothing to compare it with.

    Args:
        context: where relative paths begin.
        path: the root.
        size: height and width of all pictures; by default the commonest.
        channels: 1 or 3; by default 1 where all pictures are grey.
        min_side: pictures with a shorter side are set aside.
        max_megapixels: larger pictures are set aside before they are decoded.

    Raises:
        DataError: there is no such folder, or it holds no pictures.
    """
    found = folder(
        context,
        path=path,
        size=size,
        channels=channels,
        min_side=min_side,
        max_megapixels=max_megapixels,
    )
    return of_people(found)


def of_people(found: ExampleSet) -> ExampleSet:
    """Return pictures whose class is a person: people are groups, and nobody has one picture."""
    names = np.array(found.classes)[found.targets]
    counts = Counter(names.tolist())
    kept = np.flatnonzero([counts[name] > 1 for name in names.tolist()])
    aside = [
        Quarantined(
            item=str(found.ids[row]),
            code="one-picture",
            reason=f"is the only picture of {names[row]}; add another, or take it out",
        )
        for row in np.setdiff1d(np.arange(len(names)), kept)
    ]
    classes = tuple(str(name) for name in found.classes if counts[name] > 1)
    position = {name: place for place, name in enumerate(classes)}
    return replace(
        found,
        inputs=found.inputs[kept],
        targets=np.array([position[str(name)] for name in names[kept]], np.int64),
        classes=classes,
        ids=found.ids[kept],
        sources=found.sources[kept],
        groups=names[kept],
        media=None if found.media is None else found.media[kept],
        metadata={name: column[kept] for name, column in found.metadata.items()},
        quarantine=(*found.quarantine, *aside),
    )
