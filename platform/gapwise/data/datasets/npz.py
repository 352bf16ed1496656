"""numpy's npz files: an array of images or rows, an array of labels."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.arrays import MOST_BYTES, as_inputs, feature_names, numbered, same_length
from gapwise.data.base import ReadContext
from gapwise.data.digests import snapshot_of
from gapwise.data.labels import from_numbers
from gapwise.errors import DataError, did_you_mean
from gapwise.records import ExampleSet

__all__ = ["npz"]


def npz(
    context: ReadContext,
    *,
    path: str | list[str],
    inputs: str = "images",
    labels: str = "labels",
    classes: list[str] | None = None,
) -> ExampleSet:
    """Read one npz file, or several of one form; each file's stem is a source.

    Args:
        context: where relative paths begin.
        path: the file or files.
        inputs: name of the array of images (n, height, width[, 1 or 3]) or volumes (n, depth,
            height, width) uint8, or of rows.
        labels: name of the array of whole numbers from 0.
        classes: class names in order; by default the numbers.

    Raises:
        DataError: a file or an array is missing or has another form.
    """
    files = [context.root / name for name in ([path] if isinstance(path, str) else path)]
    if not files:
        raise DataError("data.dataset.path names no file; name at least one")
    parts = [_arrays(file, inputs, labels) for file in files]
    shapes = {part[0].shape[1:] for part in parts}
    if len(shapes) > 1:
        raise DataError(
            f"{files[0]} and the other files hold inputs of different shapes ({shapes}); bring "
            "them to one, or read one file"
        )
    whole = np.concatenate([part[0] for part in parts])
    numbers = np.concatenate([part[1] for part in parts])
    targets, names = from_numbers(numbers, classes, " + ".join(map(str, files)))
    counts = [len(part[0]) for part in parts]
    stems = [file.stem for file in files]
    return ExampleSet(
        name=stems[0],
        inputs=whole,
        targets=targets,
        classes=names,
        ids=np.concatenate([numbered(s, n) for s, n in zip(stems, counts, strict=True)]),
        sources=np.repeat(stems, counts),
        feature_names=feature_names(whole),
        snapshot=snapshot_of(*files),
    )


def _arrays(file: Path, inputs: str, labels: str) -> tuple[NDArray[Any], NDArray[Any]]:
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            for name in (inputs, labels):
                if name not in archive.files:
                    help_ = did_you_mean(name, archive.files)
                    raise DataError(f"{file} has no array {name!r}; {help_}")
                _check_size(archive, name, file)
            pair = as_inputs(archive[inputs], str(file)), archive[labels]
    except FileNotFoundError as error:
        raise DataError(f"there is no {file}; give the path of an npz file") from error
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(
            f"{file} is no npz file that can be read ({error}); save it anew"
        ) from error
    same_length(*pair, str(file))
    return pair


def _check_size(archive: Any, name: str, file: Path) -> None:
    """Refuse an array that is too large before a byte of it is unpacked."""
    sizes = {one.filename.removesuffix(".npy"): one.file_size for one in archive.zip.infolist()}
    if sizes[name] > MOST_BYTES:
        raise DataError(
            f"{file}: array {name!r} unpacks to {sizes[name] / 2**30:,.1f} GB, more than the "
            f"{MOST_BYTES / 2**30:g} that are read; split the file"
        )
