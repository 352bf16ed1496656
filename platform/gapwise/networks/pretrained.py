"""Weights from files that others wrote: read without running code, renamed, compared, taken over.

A network whose architecture torchvision has too says how it calls what torchvision calls ``key``,
in a static or class method ``from_torchvision(key: str) -> str`` that leaves other names alone.
"""

import pickle
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from gapwise.errors import PipelineError, StorageError, shown
from gapwise.networks.base import NETWORKS

LISTED = 5
"""Names of a kind that a message lists; of more it gives the count."""

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file or of a state dict saved by torch, on the CPU.

    A state dict may stand under the key ``state_dict``, and its names may begin with ``module.``,
    as a network trained by several processes saves them. No code of the file is run.

    Raises:
        StorageError: the file cannot be read, or holds anything but named tensors.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise StorageError(
            f"weights {shown(path)} cannot be read: {error.strerror}; check the path"
        ) from error
    try:
        if start != _ZIP and start[:1] != _PICKLE:
            return load_file(path)
        with warnings.catch_warnings():
            # Torch warns of files that were not written by torch; they are read or refused below.
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise StorageError(
            f"weights {shown(path)} hold more than tensors, so that reading them would run code of "
            "that file, or are damaged; save the state dict alone, or safetensors"
        ) from error
    except Exception as error:  # torch's reader raises whatever a damaged byte leads it to
        raise StorageError(
            f"weights {shown(path)} are neither safetensors nor a state dict of torch, or are "
            f"damaged ({shown(error)}); get the file anew"
        ) from error
    return _named(path, content)


def to_ours(name: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return ``state`` under the names that network ``name`` gives its weights.

    Args:
        name: a registered network.
        state: under torchvision's names where that has the network too, or under ours.
    """
    rename = getattr(NETWORKS.get(name), "from_torchvision", str)
    return {rename(key): tensor for key, tensor in state.items()}


def load_weights(name: str, network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put ``state`` into ``network``, a network called ``name``; see ``to_ours`` for its names.

    Raises:
        PipelineError: weights are missing, too many, or of other shapes; names a few of each.
    """
    renamed = to_ours(name, state)
    own = network.state_dict()
    if told := differences(own, renamed):
        raise PipelineError(
            f"the weights do not fit network {name}: {told}; name the network, with its options, "
            "that they were learned by"
        )
    network.load_state_dict({**own, **renamed})


def differences(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """Return what of ``found`` is missing, too much, or of another shape than wanted; "" if none.

    How many batches a batch norm has seen may be missing: old files do not have it.
    """
    missing = [
        name for name in wanted.keys() - found.keys() if not name.endswith("num_batches_tracked")
    ]
    shapes = [
        f"{name} {tuple(found[name].shape)} in place of {tuple(wanted[name].shape)}"
        for name in wanted.keys() & found.keys()
        if found[name].shape != wanted[name].shape
    ]
    told = (
        _listed("missing", missing),
        _listed("unexpected", map(shown, found.keys() - wanted.keys())),
        _listed("of another shape", shapes),
    )
    return "; ".join(filter(None, told))


def _named(path: Path, content: Any) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise StorageError(
            f"weights {shown(path)} hold a {type(content).__name__} and no named tensors; "
            "save the network's state dict"
        )
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise StorageError(
                f"weights {shown(path)}: {shown(name)} is a {type(value).__name__}, but must be a "
                "tensor; save the network's state dict alone"
            )
    return {name.removeprefix("module."): tensor for name, tensor in content.items()}


def _listed(kind: str, names: Iterable[str]) -> str:
    names = sorted(names)
    if not names:
        return ""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{len(names)} {kind} ({', '.join(names[:LISTED])}{more})"
