"""A draw saved to a file, so that adding data moves nobody (``splits.cuts``)."""

import json
from pathlib import Path
from typing import Any

from gapwise.data.assignment import Assignment
from gapwise.errors import DataError, StorageError
from gapwise.pipeline import Splits

PARTS = ("test", "dev", "target_in_train", "train_dev")


def save_cuts(path: Path, assignment: Assignment) -> None:
    """Write the bounds of a draw, with the seed and the target that they belong to.

    Raises:
        StorageError: the file cannot be written.
    """
    document = {"seed": assignment.seed, "target": assignment.target, "cuts": assignment.cuts}
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write the cuts to {path}: {error}; choose another") from error


def load_cuts(splits: Splits) -> dict[str, dict[str, float]]:
    """Read the bounds that ``splits.cuts`` names.

    Raises:
        DataError: the file is missing, no file of cuts, or of another seed or target.
    """
    path = Path(splits.cuts or "")
    document = _read(path)
    for key, value in (("seed", splits.seed), ("target", splits.target)):
        if document.get(key) != value:
            raise DataError(
                f"splits.cuts: {path} was drawn with {key} {document.get(key)!r}, but "
                f"splits.{key} is {value!r}; set it back, or save the split anew"
            )
    cuts: dict[str, dict[str, float]] = document["cuts"]
    return cuts


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        bounds = [float(b) for part in PARTS for b in document["cuts"][part].values()]
    except FileNotFoundError as error:
        raise DataError(
            f"splits.cuts: there is no {path}; save a split there, or leave splits.cuts empty"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"splits.cuts: {path} is no file of cuts ({error!r}); save the split anew"
        ) from error
    if not all(0 <= bound <= 1 for bound in bounds):
        raise DataError(f"splits.cuts: {path} holds a cut outside 0 to 1; save the split anew")
    assert isinstance(document, dict)
    return document
