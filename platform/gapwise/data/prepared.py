"""Training data as a folder of npy and JSON files, which a bare GPU machine can read.

The folder is written whole or not at all (temporary folder, fsync, rename) and never changes; its
digest names its content. Needs numpy and the standard library alone.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data import leaks
from gapwise.data.assignment import Assignment
from gapwise.data.looks import picture_of, pixels
from gapwise.data.normalisation import mean_and_deviation
from gapwise.data.pieces import write_array, write_through
from gapwise.data.placing import drafted
from gapwise.data.proof import content_digest
from gapwise.data.stored_form import columns_of, facts_of
from gapwise.errors import DataError, StorageError, did_you_mean
from gapwise.inputs import TOLD, Kind, kind_of
from gapwise.labels import Labels, one_class
from gapwise.records import SPLITS, ExampleSet, Quarantined
from gapwise.seal import holds, sealed

FORMAT = 1
META = "prepared.json"
_NO_CONTENT = (
    *("media_root", "snapshot"),  # where the data lies does not change what it is
    *("format", "digest", "normalisation", "files", "seal"),
)


class Prepared:
    """A prepared folder, opened; arrays are read when they are asked for.

    ``inputs`` is a read-only memory map. Everything else is in memory.
    """

    def __init__(self, folder: Path, meta: Mapping[str, Any]) -> None:
        self.folder = folder
        self._meta = meta
        self.name: str = meta["name"]
        self.digest: str = meta["digest"]
        labels = meta.get("labels")
        self.labels = one_class(meta["classes"]) if labels is None else Labels.read(labels)
        self.feature_names: tuple[str, ...] = tuple(meta["feature_names"])
        self.input_shape: tuple[int, ...] = tuple(meta["input_shape"])
        self.media_root: str = meta["media_root"]
        self.notes: tuple[str, ...] = tuple(meta["notes"])
        self.snapshot: dict[str, str] = meta["snapshot"]
        self.assignment_digest: str = meta["assignment"]["digest"]
        self.cuts: dict[str, dict[str, float]] = meta["assignment"]["cuts"]
        self.quarantine = tuple(Quarantined(**item) for item in meta["quarantine"])

    def __len__(self) -> int:
        return int(self._meta["n"])

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.folder,)  # another process maps the arrays anew

    def __repr__(self) -> str:
        return f"<Prepared {self.name} n={len(self)} {self.digest[:12]}>"

    @cached_property
    def inputs(self) -> NDArray[Any]:
        """(n, …) as ``records.ExampleSet`` tells, mapped."""
        array: NDArray[Any] = np.load(self.folder / "inputs.npy", mmap_mode="r")
        return array

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names where every example has one class, else ()."""
        return self.labels.only

    @cached_property
    def targets(self) -> NDArray[Any]:
        """Of the form that ``labels`` tells: (n,) int64, (n,) float32, (n, k) int64, …."""
        return self._array("targets")

    @cached_property
    def ids(self) -> NDArray[np.str_]:
        """(n,) stable example ids."""
        return self._array("ids")

    @cached_property
    def sources(self) -> NDArray[np.str_]:
        """(n,) the distribution that each example came from."""
        return self._array("sources")

    @cached_property
    def groups(self) -> NDArray[np.str_] | None:
        """(n,) or None."""
        return self._array("groups") if "groups" in self._meta["files"] else None

    @cached_property
    def weights(self) -> NDArray[np.float64] | None:
        """(n,) or None."""
        return self._array("weights") if "weights" in self._meta["files"] else None

    @cached_property
    def media(self) -> NDArray[np.str_] | None:
        """(n,) paths relative to ``media_root``, or None."""
        return self._array("media") if "media" in self._meta["files"] else None

    @cached_property
    def metadata(self) -> dict[str, NDArray[Any]]:
        """Further columns, each (n,)."""
        return {
            name: self._array(f"metadata-{position}")
            for position, name in enumerate(self._meta["metadata"])
        }

    @cached_property
    def split(self) -> NDArray[np.str_]:
        """(n,) the split of each example, "" for one that is left out."""
        return self._array("split")

    @cached_property
    def normalisation(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and deviation of the train split, in the units of ``inputs`` (notes 3.5).

        Each (channels,) or (features,); the deviation of a constant is 1.
        """
        stored = self._meta["normalisation"]
        return np.array(stored["mean"]), np.array(stored["deviation"])

    def indices(self, split: str) -> NDArray[np.int64]:
        """Return the positions of the examples of ``split``, in order."""
        if split not in SPLITS:
            raise DataError(f"{split!r} is no split; {did_you_mean(split, SPLITS)}")
        return np.flatnonzero(self.split == split).astype(np.int64)

    @property
    def kind(self) -> Kind:
        """What an example is: a row, a picture, a sequence, words, or a volume."""
        return kind_of(self.input_shape, self.inputs.dtype)

    @property
    def has_pictures(self) -> bool:
        """Whether examples can be shown as pictures."""
        return self.kind in ("picture", "sequence", "volume") or bool(pixels(self.feature_names))

    def picture(self, example_id: str) -> NDArray[np.uint8]:
        """Return an example's picture: (height, width) or (height, width, 3) uint8.

        Raises:
            DataError: the id is not known, or the examples have no pictures.
        """
        shown = picture_of(self.rows([example_id])[0], self.feature_names)
        if shown is None:
            raise DataError(
                f"dataset {self.name!r} holds {TOLD[self.kind]}, without a picture; ask for rows"
            )
        return shown

    def rows(self, example_ids: Sequence[str]) -> NDArray[Any]:
        """Return the inputs of some examples, in the order asked for.

        Raises:
            DataError: an id is not known.
        """
        unknown = [name for name in example_ids if name not in self._positions]
        if unknown:
            raise DataError(f"dataset {self.name!r} has no example {unknown[0]!r}; name one it has")
        return self.inputs[[self._positions[name] for name in example_ids]]

    def check(self) -> None:
        """Read everything, to know that it is what was written.

        Raises:
            StorageError: it is not.
        """
        try:
            columns = {
                name: np.load(self.folder / f"{name}.npy", mmap_mode="r")
                for name in self._meta["files"]
            }
            is_whole = _digest(self._meta, columns) == self.digest
        except OSError:
            raise  # what this machine lacks says nothing of the data
        except Exception:  # numpy raises whatever it meets in a damaged header
            is_whole = False
        if not is_whole:
            raise StorageError(
                f"prepared data: {self.folder} is not what was written there; delete it and train "
                "again"
            )

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {str(name): position for position, name in enumerate(self.ids)}

    def _array(self, name: str) -> NDArray[Any]:
        array: NDArray[Any] = np.load(self.folder / f"{name}.npy")
        return array


def digest_of(examples: ExampleSet, assignment: Assignment) -> str:
    """Return the digest of the examples' content and their splits."""
    return _digest(facts_of(examples, assignment), columns_of(examples, assignment))


def _digest(facts: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> str:
    content = {key: facts[key] for key in facts if key not in _NO_CONTENT}
    return content_digest(f"prepared {FORMAT}", content, columns)


def write(folder: Path, examples: ExampleSet, assignment: Assignment) -> Prepared:
    """Write ``folder`` whole; one that is there already is left alone and opened.

    Raises:
        StorageError: the folder cannot be written, or what is there is damaged.
    """
    if (folder / META).is_file():
        found = open(folder)
        found.check()
        return found
    try:
        with drafted(folder, META) as draft:
            _fill(draft, leaks.marked(examples, assignment), assignment)
    except OSError as error:
        raise StorageError(
            f"cannot write the prepared data {folder}: {error}; free some space or set "
            "GAPWISE_CACHE to another folder"
        ) from error
    return open(folder)


def open(folder: Path) -> Prepared:
    """Open a prepared folder.

    Raises:
        StorageError: it is missing, damaged, or of another format.
    """
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        if meta.get("format") == FORMAT and not holds(meta):
            raise ValueError("it does not match its seal")
        sizes = {name: (folder / f"{name}.npy").stat().st_size for name in meta["files"]}
    except FileNotFoundError as error:
        raise StorageError(
            f"prepared data: {error.filename} is missing; delete {folder} and train again"
        ) from error
    except (OSError, ValueError, KeyError) as error:
        raise StorageError(
            f"prepared data: {folder / META} cannot be read ({error}); delete {folder} and train "
            "again"
        ) from error
    wrong = [name for name, size in meta["files"].items() if sizes[name] != size]
    found = meta.get("format")
    if found != FORMAT or wrong:
        what = f"format {found}" if not wrong else f"{wrong[0]}.npy of another size"
        raise StorageError(f"prepared data: {folder} has {what}; delete it and train again")
    return Prepared(folder, meta)


def _fill(draft: Path, examples: ExampleSet, assignment: Assignment) -> None:
    columns = columns_of(examples, assignment)
    for name, column in columns.items():
        write_array(draft / f"{name}.npy", column)
    mean, deviation = mean_and_deviation(examples.inputs, assignment.indices("train"))
    meta = facts_of(examples, assignment) | {
        "format": FORMAT,
        "digest": digest_of(examples, assignment),
        "normalisation": {"mean": mean.tolist(), "deviation": deviation.tolist()},
        "files": {name: (draft / f"{name}.npy").stat().st_size for name in columns},
    }
    with (draft / META).open("w", encoding="utf-8") as stream:
        json.dump(sealed(meta), stream, indent=1)
        write_through(stream)
