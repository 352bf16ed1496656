"""New examples for a trained network: images, rows, sounds or sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.images import Limits
from gapwise.data.roles import Roles
from gapwise.data.store import Decoded, Shape, decode_all
from gapwise.data.table import Table, read_table
from gapwise.errors import DataError
from gapwise.labels import Labels
from gapwise.records import Quarantined
from gapwise.settings import Settings
from gapwise.workflows.guess_columns import IMAGE_SUFFIXES, NAMES, column_of, image_column
from gapwise.workflows.new_rows import encode_as
from gapwise.workflows.new_sequences import is_sequence, read_sequences
from gapwise.workflows.new_targets import label_role, read_targets, unknown
from gapwise.workflows.trained_run import TrainedRun


@dataclass(frozen=True, kw_only=True)
class NewExamples:
    """Examples that a network has not seen, all arrays of one length n.

    Attributes:
        inputs: as the network takes them: images uint8, or rows float32.
        ids: (n,) str.
        targets: of the form that the network was trained on; -1, or NaN for numbers, where no
            label is known.
        columns: source, group, weight and media, those that there are.
        metadata: further columns.
        media_root: the folder that media are relative to.
        quarantine: examples that were set aside.
    """

    inputs: NDArray[Any]
    ids: NDArray[np.str_]
    targets: NDArray[Any]
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    metadata: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    media_root: str = ""
    quarantine: tuple[Quarantined, ...] = ()


def read_new(path: Path, trained: TrainedRun, settings: Settings) -> NewExamples:
    """Read ``path`` as the network of ``trained`` wants it.

    Raises:
        DataError: it is missing, of the wrong kind, or holds nothing that can be read.
    """
    if not path.exists():
        raise DataError(f"{path} is neither a folder nor a file; check the path")
    if is_sequence(trained):
        inputs, ids, metadata, aside = read_sequences(path, trained)
        return NewExamples(
            inputs=inputs,
            ids=ids,
            targets=unknown(trained.model.spec.labels, len(ids)),
            metadata=metadata,
            quarantine=aside,
        )
    if path.is_dir():
        return _folder(path, trained, settings)
    table = read_table(path)
    roles = Roles(table=table, columns=_columns(table, trained))
    if _wants_images(trained):
        return _images(roles, trained, settings)
    return _rows(roles, trained)


def _folder(root: Path, trained: TrainedRun, settings: Settings) -> NewExamples:
    if not _wants_images(trained):
        raise DataError(
            f"{root} is a folder, but the network of run {trained.run_id} takes rows of features; "
            "give a CSV or Parquet table"
        )
    paths = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    if not paths:
        raise DataError(f"{root} holds no .png, .jpg or .webp; give a folder of images")
    decoded = _decoded(root, paths, trained, settings)
    kept = [paths[row] for row in decoded.kept]
    return NewExamples(
        inputs=decoded.images,
        ids=np.array(kept),
        targets=_of_folders(trained.model.spec.labels, kept),
        columns={"media": np.array(kept)},
        media_root=str(root.resolve()),
        quarantine=decoded.quarantine,
    )


def _of_folders(labels: Labels, paths: Sequence[str]) -> NDArray[Any]:
    """Return the class of each path where folders are classes, else that nothing is known."""
    if labels.kind != "class":
        return unknown(labels, len(paths))
    known = {name: place for place, name in enumerate(labels.only)}
    return np.array([_class_of(path, known) for path in paths], dtype=np.int64)


def _class_of(path: str, known: Mapping[str, int]) -> int:
    """Return the class that the nearest folder is called by, -1 where none is."""
    folders = reversed(path.split("/")[:-1])
    return next((known[folder] for folder in folders if folder in known), -1)


def _images(roles: Roles, trained: TrainedRun, settings: Settings) -> NewExamples:
    if not roles.has("image"):
        raise DataError(
            f"{roles.table.path} has no column of image paths, which run {trained.run_id} wants; "
            "call it image"
        )
    root = roles.table.path.parent
    decoded = _decoded(root, roles.table.text(roles.name("image")), trained, settings)
    kept = decoded.kept
    media = np.array(roles.table.text(roles.name("image")))[kept]
    return NewExamples(
        inputs=decoded.images,
        ids=np.array(roles.ids())[kept],
        targets=_targets(roles, trained)[kept],
        columns={**_known_columns(roles, kept), "media": media},
        metadata=_metadata(roles.table, roles.others, kept),
        media_root=str(root.resolve()),
        quarantine=decoded.quarantine,
    )


def _rows(roles: Roles, trained: TrainedRun) -> NewExamples:
    rows = encode_as(trained.prepared(), roles.table, roles.ids())
    others = [name for name in roles.others if name not in rows.columns]
    return NewExamples(
        inputs=rows.values,
        ids=np.array(roles.ids())[rows.kept],
        targets=_targets(roles, trained)[rows.kept],
        columns=_known_columns(roles, rows.kept),
        metadata=_metadata(roles.table, others, rows.kept),
        quarantine=rows.quarantine,
    )


def _wants_images(trained: TrainedRun) -> bool:
    return len(trained.model.spec.input_shape) == 3


def _columns(table: Table, trained: TrainedRun) -> dict[str, str | Sequence[str]]:
    """Return role → column: as the run's pipeline has it, else by the columns' names."""
    stated = trained.pipeline["data"]["dataset"].get("columns") or {}
    found: dict[str, str | Sequence[str]] = {
        role: column for role, column in stated.items()
        if isinstance(column, str) and column in table.columns
    }  # fmt: skip
    labels = label_role(trained.model.spec.labels, table, stated)
    if labels is not None:
        found["label"] = labels
    features = set() if _wants_images(trained) else set(trained.prepared().feature_names)
    for role in NAMES:
        column = column_of(table, role) if role != "image" else None
        if role not in found and column is not None and column not in features:
            found[role] = column
    if "image" not in found and _wants_images(trained):
        image = image_column(table, [n for n in table.columns if n not in found.values()])
        if image is not None:
            found["image"] = image
    return found


def _decoded(root: Path, paths: Sequence[str], trained: TrainedRun, settings: Settings) -> Decoded:
    channels, height, width = trained.model.spec.input_shape
    if channels not in (1, 3):
        raise DataError(
            f"run {trained.run_id} takes inputs of {channels} channels, which image files do not "
            "have; give pictures to a run that was trained on pictures"
        )
    options = trained.pipeline["data"]["dataset"]
    limits = {key: options[key] for key in ("min_side", "max_megapixels") if key in options}
    shape = Shape(size=(height, width), channels=channels)
    return decode_all(root, paths, settings.cache, shape, Limits(**limits))


def _targets(roles: Roles, trained: TrainedRun) -> NDArray[Any]:
    """Return each row's target, unknown where its label is empty or there is no such column."""
    labels = trained.model.spec.labels
    if not roles.has("label"):
        return unknown(labels, len(roles.table))
    return read_targets(labels, roles.table, roles.labels.names)


def _known_columns(roles: Roles, kept: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for role in ("source", "group"):
        if roles.has(role):
            found[role] = np.array(roles.table.text(roles.name(role)))[kept]
    if roles.has("weight"):
        found["weight"] = roles.table.numbers(roles.name("weight"))[kept]
    return found


def _metadata(
    table: Table, names: Sequence[str], kept: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for name in names:
        values = table.column(name).to_numpy()
        is_plain = values.dtype.kind in "iufb"
        found[name] = (values if is_plain else np.array(table.text(name)))[kept]
    return found
