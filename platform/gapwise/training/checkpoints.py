"""Checkpoints: tensors as safetensors, the rest as JSON; atomic, checksummed, never pickled.

A checkpoint is a pair of files in one folder. ``step-00000042.safetensors`` holds the tensors;
``step-00000042.json`` holds plain values, the sha256 of the tensors' file and its own. The JSON is
written last: a checkpoint exists from the moment that it has its name.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from gapwise.errors import StorageError
from gapwise.training.files import DRAFT, sync_folder, write_atomically

FORMAT = 1
KEPT = 3


@dataclass(frozen=True)
class Saved:
    """A checkpoint read back: ``path`` of its JSON, its plain values and its tensors (CPU)."""

    path: Path
    values: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


class CheckpointStore:
    """The checkpoints of one training.

    The last three stay, and the best that each of them names (``values["best"]``).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"cannot make the folder {folder}: {error.strerror}; set GAPWISE_HOME to a folder "
                "that can be written"
            ) from error

    def path(self, step: int) -> Path:
        """Return where the checkpoint after ``step`` steps is, or would be."""
        return self.folder / f"step-{step:08d}.json"

    def save(self, step: int, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Path:
        """Save a checkpoint and remove those that are no longer needed.

        Args:
            step: steps done.
            values: JSON's own types; ``best`` names the step of the best checkpoint.
            tensors: on any device.

        Raises:
            StorageError: the disk refuses; the checkpoints that were there still are.
        """
        path = self.path(step)
        content = save_tensors({k: v.detach().cpu().contiguous() for k, v in tensors.items()})
        document = {"format": FORMAT, "tensors": sha256(content).hexdigest(), "values": values}
        write_atomically(_tensors_path(path), content)
        write_atomically(path, _sealed(document))
        sync_folder(self.folder)
        self._prune()
        return path

    def newest_first(self) -> Iterator[Path]:
        """Give the JSON of each checkpoint, the last step first."""
        yield from sorted(self.folder.glob("step-*.json"), reverse=True)

    def _prune(self) -> None:
        kept = list(self.newest_first())[:KEPT]
        needed = {path.stem for path in kept} | {_best_of(path) for path in kept}
        # The JSON goes first: a checkpoint is gone before its tensors are.
        for path in sorted(self.folder.glob("step-*")):
            if path.name.endswith(DRAFT) or path.name.partition(".")[0] not in needed:
                path.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> Saved:
    """Read the checkpoint whose JSON is ``path``.

    Raises:
        StorageError: it is missing or damaged; names the file.
    """
    document = _read_sealed(path)
    tensors_path = _tensors_path(path)
    content = _read(tensors_path)
    if sha256(content).hexdigest() != document["tensors"]:
        raise _damaged(tensors_path, "its sha256 is not the one that was saved")
    try:
        return Saved(path, document["values"], load_tensors(content))
    except SafetensorError as error:
        raise _damaged(tensors_path, str(error)) from error


def read_values(path: Path) -> Mapping[str, Any]:
    """Read the plain values of a checkpoint alone.

    Raises:
        StorageError: the JSON is missing or damaged.
    """
    values: Mapping[str, Any] = _read_sealed(path)["values"]
    return values


def weights_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the sha256 over names, shapes and bits of ``tensors``."""
    hasher = sha256()
    for name, tensor in sorted(tensors.items()):
        flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        hasher.update(f"{name}\0{tuple(tensor.shape)}\0{tensor.dtype}\0".encode())
        hasher.update(flat.numpy().data)
    return hasher.hexdigest()


def _tensors_path(path: Path) -> Path:
    return path.with_suffix(".safetensors")


def _best_of(path: Path) -> str:
    try:
        best = read_values(path)["best"]
    except StorageError:
        return ""
    return "" if best is None else f"step-{best:08d}"


def _sealed(document: Mapping[str, Any]) -> bytes:
    """Return the JSON of ``document`` with the sha256 of the rest as its first line's entry."""
    body = json.dumps(document, sort_keys=True, separators=(",", ":"))
    digest = sha256(body.encode()).hexdigest()
    return f'{{"sha256":"{digest}","document":{body}}}\n'.encode()


def _read_sealed(path: Path) -> dict[str, Any]:
    content = _read(path)
    head, tail = b'{"sha256":"', b'","document":'
    start = len(head) + 64 + len(tail)
    body = content[start:-2]
    digest = sha256(body).hexdigest().encode()
    if content != head + digest + tail + body + b"}\n":
        raise _damaged(path, "its sha256 is not the one that was saved")
    document: dict[str, Any] = json.loads(body)
    if document["format"] != FORMAT:
        raise _damaged(path, f"its format is {document['format']}, not {FORMAT}")
    return document


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _damaged(path, error.strerror or "it cannot be read") from error


def _damaged(path: Path, why: str) -> StorageError:
    return StorageError(f"checkpoint {path} is refused: {why}; an earlier one can be used")
