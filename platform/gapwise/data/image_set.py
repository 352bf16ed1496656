"""Examples from image files: what the folder and the manifest reader share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.images import Limits
from gapwise.data.store import Shape, decode_all
from gapwise.labels import Labels
from gapwise.records import ExampleSet, Quarantined


@dataclass(frozen=True, kw_only=True)
class ImageRows:
    """What is known of each image before it is read, all of one length n.

    Attributes:
        paths: relative to the root.
        columns: fields of ``ExampleSet`` that are arrays: ids, targets, sources, groups, weights.
        metadata: further columns.
    """

    paths: Sequence[str]
    columns: Mapping[str, NDArray[Any] | None]
    metadata: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """Where image files lie, and how they are read."""

    root: Path
    cache: Path
    shape: Shape
    limits: Limits


def image_set(
    source: ImageSource,
    rows: ImageRows,
    name: str,
    labels: Labels,
    facts: Mapping[str, Any],
) -> ExampleSet:
    """Decode the images and keep the rows whose image could be read.

    Args:
        source: where they lie.
        rows: an entry an image.
        name: the dataset's name.
        labels: what the targets are.
        facts: ``quarantine``, ``notes`` and ``snapshot`` of the reader itself.
    """
    decoded = decode_all(source.root, rows.paths, source.cache, source.shape, source.limits)
    kept = decoded.kept
    columns = {key: None if c is None else c[kept] for key, c in rows.columns.items()}
    earlier: tuple[Quarantined, ...] = facts.get("quarantine", ())
    return ExampleSet(
        name=name,
        inputs=decoded.images,
        classes=labels.only,
        labels=labels,
        metadata={key: column[kept] for key, column in rows.metadata.items()},
        media=np.array(rows.paths)[kept],
        media_root=str(source.root.resolve()),
        quarantine=(*earlier, *decoded.quarantine),
        notes=(*facts.get("notes", ()), *decoded.notes),
        snapshot=facts.get("snapshot", {}),
        **columns,  # type: ignore[arg-type]
    )
