"""Weights that a training starts from, as a run keeps them: copied, and pinned by their sha256.

A resumed run and the next seed read the copy: they need neither the run nor the file that the
weights came from.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gapwise.labels import Labels
from gapwise.networks.pretrained import read_weights, to_ours
from gapwise.records import Job
from gapwise.training.checkpoints import weights_digest
from gapwise.training.files import sync_folder, write_atomically
from gapwise.training.model import Model
from gapwise.training.start_weights import NETWORK, NORMALISATION, read_start
from gapwise.workflows import export_safetensors

NAME = "start.safetensors"
"""The file in the run's folder."""


@dataclass(frozen=True, kw_only=True)
class StartWeights:
    """Weights to start from.

    Attributes:
        origin: the id of the run that learned them, or the file as the pipeline names it.
        tensors: named as in a model's state.
        labels: what their outputs tell; None where nobody knows.
        network: the part that they belong to; empty where nobody knows.
        feature_names: the columns that they were learned from; empty for images and where nobody
            knows.
    """

    origin: str
    tensors: Mapping[str, Tensor]
    labels: Labels | None = None
    network: Mapping[str, Any] = field(default_factory=dict)
    feature_names: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Their sha256, over names, shapes and bits."""
        return weights_digest(self.tensors)

    def keep(self, folder: Path) -> Path:
        """Write them into a run's folder.

        Raises:
            StorageError: the disk refuses.
        """
        path = folder / NAME
        write_atomically(path, save(dict(self.tensors)))
        sync_folder(folder)
        return path


def of_model(model: Model, origin: str, feature_names: tuple[str, ...] = ()) -> StartWeights:
    """Return the weights of a model that was trained here."""
    state = model.state_dict()
    return StartWeights(
        origin=origin,
        tensors={name: state[name].cpu().contiguous() for name in state if _is_taken(name)},
        labels=model.spec.labels,
        network=model.spec.network,
        feature_names=feature_names,
    )


def of_file(path: Path, network: str, origin: str) -> StartWeights:
    """Return the weights of a file: one that ``gapwise export`` wrote, or another's state dict.

    Args:
        path: safetensors, or what torch saved.
        network: name of the network that is to take them, for whose sake torchvision's names are
            changed to ours.
        origin: the file as the pipeline names it.

    Raises:
        StorageError: it cannot be read, or holds more than tensors.
    """
    if _is_exported(path):
        return of_model(export_safetensors.read(path), origin)
    found = read_weights(path)
    if not all(_is_taken(name) for name in found):
        found = {NETWORK + name: tensor for name, tensor in to_ours(network, found).items()}
    tensors = {name: tensor.contiguous() for name, tensor in found.items()}
    return StartWeights(origin=origin, tensors=tensors)


def of_job(job: Job) -> StartWeights | None:
    """Return the weights that a run keeps beside its job; None where it started without any.

    Raises:
        StorageError: they are missing or damaged, or not those whose digest is pinned.
    """
    if not job.start:
        return None
    origin = job.pipeline["transfer"]["start"]
    return StartWeights(origin=origin, tensors=read_start(Path(job.start), job.start_digest))


def _is_taken(name: str) -> bool:
    return name.startswith(NETWORK) or name in NORMALISATION


def _is_exported(path: Path) -> bool:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (OSError, SafetensorError):
        return False
    return metadata.get("format") == json.dumps(export_safetensors.FORMAT)
