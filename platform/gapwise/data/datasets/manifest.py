"""A manifest, CSV or Parquet: an image path or feature columns, a label, and what else is known."""

from pathlib import Path
from typing import Literal

from gapwise.data.base import ReadContext
from gapwise.data.digests import snapshot_of
from gapwise.data.features import encode
from gapwise.data.hybrid import with_columns
from gapwise.data.image_set import ImageRows, ImageSource, image_set
from gapwise.data.images import Limits
from gapwise.data.roles import NEVER_FEATURES, Roles
from gapwise.data.store import Shape
from gapwise.data.table import read_table
from gapwise.records import ExampleSet

__all__ = ["manifest"]


def manifest(  # noqa: PLR0913 - what a manifest may need
    context: ReadContext,
    *,
    path: str,
    root: str | None = None,
    columns: dict[str, str | list[str]] | None = None,
    target: Literal["class", "number"] = "class",
    unit: str = "",
    features: list[str] | None = None,
    categorical: list[str] | None = None,
    classes: list[str] | dict[str, list[str]] | None = None,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    min_side: int = 4,
    max_megapixels: float = 50.0,
) -> ExampleSet:
    """Read a manifest.

    Columns called ``image``, ``label``, ``id``, ``source``, ``group`` and ``weight`` have that
    role; ``columns`` says where a role has another name, and ``label: [a, b]`` that there are
    several labels, of which empty cells and "?" are unknown. With an image column the examples are
    images and all further columns (``annotator``, say) stay as metadata; with ``features``, each is
    an image with columns beside it (network: hybrid). Without one they are rows of numbers, see
    ``gapwise.data.features``.

    Args:
        context: where relative paths begin.
        path: the manifest.
        root: the folder that image paths refer to; by default the manifest's own.
        columns: role → column; for ``label``, a list of columns makes several labels.
        target: what a single label column holds: classes, or numbers to predict (task: regress).
        unit: what such numbers count, such as dollars.
        features: feature columns; by default all that have no other role, and none beside images.
        categorical: feature columns that are categories; by default those of mostly no numbers.
        classes: class names in order, or, for several labels, label → class names; by default
            those that occur.
        size: height and width of all images; by default the commonest.
        channels: 1 or 3; by default 1 where all images are grey.
        min_side: images with a shorter side are set aside.
        max_megapixels: larger images are set aside before they are decoded.

    Raises:
        DataError: the manifest, an id, a label or a number cannot be used; names the row.
    """
    file = context.root / path
    roles = Roles(
        table=read_table(file), columns=columns or {}, target=target, classes=classes, unit=unit
    )
    if roles.has("image"):
        source = ImageSource(
            root=context.root / root if root is not None else file.parent,
            cache=context.settings.cache,
            shape=Shape(size=size, channels=channels),
            limits=Limits(min_side=min_side, max_megapixels=max_megapixels),
        )
        images = _images(file, roles, source)
        return images if features is None else _beside(images, roles, features, categorical)
    return _rows(file, roles, features, categorical)


def _images(file: Path, roles: Roles, source: ImageSource) -> ExampleSet:
    ids = roles.ids()
    columns, labels = roles.arrays(ids)
    paths = roles.table.text(roles.name("image"))
    rows = ImageRows(
        paths=[paths[row] for row in roles.kept],
        columns=columns,
        metadata=roles.metadata(roles.others),
    )
    facts = {"quarantine": roles.unlabelled(ids), "snapshot": snapshot_of(file)}
    return image_set(source, rows, file.stem, labels, facts)


def _beside(
    images: ExampleSet, roles: Roles, features: list[str], categorical: list[str] | None
) -> ExampleSet:
    """Return the images with feature columns beside them."""
    encoded = encode(roles.table, features, categorical)
    row_of = {name: row for row, name in enumerate(roles.ids())}
    rows = [row_of[str(name)] for name in images.ids]
    return with_columns(images, encoded.values[rows], encoded.names)


def _rows(
    file: Path,
    roles: Roles,
    features: list[str] | None,
    categorical: list[str] | None,
) -> ExampleSet:
    ids = roles.ids()
    columns, labels = roles.arrays(ids)
    wanted = features or [name for name in roles.others if name not in NEVER_FEATURES]
    encoded = encode(roles.table, wanted, categorical)
    rest = [name for name in roles.others if name not in wanted]
    return ExampleSet(
        name=file.stem,
        inputs=encoded.values[roles.kept],
        classes=labels.only,
        labels=labels,
        metadata=roles.metadata(rest),
        feature_names=encoded.names,
        quarantine=roles.unlabelled(ids),
        notes=encoded.notes,
        snapshot=snapshot_of(file),
        **columns,  # type: ignore[arg-type]
    )
