"""Weights that a training starts from: read, compared with the model, and taken over.

They are named as in a model's own state: ``network.…``, and ``mean`` and ``deviation`` where the
normalisation is known that they were learned behind.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor

from gapwise.errors import PipelineError, StorageError
from gapwise.networks.base import NETWORKS
from gapwise.networks.pretrained import differences
from gapwise.records import Job
from gapwise.training.checkpoints import weights_digest
from gapwise.training.freezing import check_can_precompute, freeze
from gapwise.training.model import Model
from gapwise.training.recipe import build
from gapwise.training.transfer import Transfer

NETWORK = "network."

NORMALISATION = ("mean", "deviation")


def read_start(path: Path, digest: str) -> dict[str, Tensor]:
    """Read the weights that are kept with a run.

    Raises:
        StorageError: they are missing or damaged, or not those whose digest is pinned.
    """
    try:
        tensors = load_tensors(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"the weights {path} that the run started from cannot be read ({error}); train anew"
        ) from error
    found = weights_digest(tensors)
    if found != digest:
        raise StorageError(
            f"the weights {path} are not those that the run started from: their sha256 is "
            f"{found[:12]}…, not {digest[:12]}…; train anew"
        )
    return tensors


def check_start(transfer: Transfer | None, job: Job) -> None:
    """Refuse a job that is to start from weights, and has none.

    Raises:
        PipelineError: it names no file of weights.
    """
    if transfer is not None and not job.start:
        raise PipelineError(
            "the job's pipeline has a section transfer, but the job holds no weights to start "
            "from; make it by `gapwise train`, or set transfer=null"
        )


def begin(model: Model, transfer: Transfer, job: Job) -> None:
    """Give ``model`` the weights that ``job`` starts from, where it has any; freeze some layers.

    Raises:
        PipelineError: the weights do not fit, there are fewer layers than are to train, or nothing
            can be precomputed.
        StorageError: they are missing or damaged, or not those whose digest is pinned.
    """
    if job.start:
        take_over(model, read_start(Path(job.start), job.start_digest), transfer)
    if transfer.train_last is not None:
        freeze(model, transfer.train_last)
    if transfer.precompute:
        check_can_precompute(model)


def take_over(model: Model, tensors: Mapping[str, Tensor], transfer: Transfer) -> None:
    """Put ``tensors`` into ``model``; a head that is replaced keeps the weights it was drawn with.

    Inputs are normalised by the mean and deviation that the weights were learned behind, for the
    first layers know no other inputs; where those are not known, by the new training set's.

    Raises:
        PipelineError: they do not fit.
    """
    check_fits(model, tensors, transfer)
    state = model.state_dict()
    taken = state.keys() & tensors.keys() - _replaced(model, transfer)
    model.load_state_dict(state | {name: tensors[name] for name in taken})


def check_fits(model: Model, tensors: Mapping[str, Tensor], transfer: Transfer) -> None:
    """Refuse weights that are not those of such a network.

    Raises:
        PipelineError: lists what is missing, what is too much, and which shapes differ.
    """
    replaced = _replaced(model, transfer)
    # Of a head that is replaced, the start may have any or none.
    wanted = {_short(name): t for name, t in model.state_dict().items() if name not in replaced}
    found = {_short(name): t for name, t in tensors.items() if name not in replaced}
    for name in NORMALISATION:
        if name not in found:
            del wanted[name]
    told = differences(wanted, found)
    if told:
        raise PipelineError(
            f"the weights of transfer.start do not fit network {model.spec.network['name']}: {told}"
            f"; {_mend(model, found, transfer)}"
        )


def head_names(model: Model) -> set[str]:
    """Return the names of the weights whose shape goes with the count of outputs.

    They are the last layer's, and those of the last layers of side branches.
    """
    fixed = {"input_shape": model.spec.input_shape, "outputs": model.outputs + 1}
    with torch.device("meta"):
        other = build(NETWORKS, model.spec.network, **fixed).state_dict()
    state = model.network.state_dict()
    return {NETWORK + name for name in state if state[name].shape != other[name].shape}


def _replaced(model: Model, transfer: Transfer) -> set[str]:
    return head_names(model) if transfer.head == "replace" else set()


def _mend(model: Model, found: Mapping[str, Tensor], transfer: Transfer) -> str:
    head = [_short(name) for name in head_names(model)]
    state = model.network.state_dict()
    if transfer.head == "keep" and any(
        name in found and found[name].shape != state[name].shape for name in head
    ):
        return "set transfer.head=replace where the classes are others"
    return "name the network, with its options, that they were learned by, or another start"


def _short(name: str) -> str:
    return name.removeprefix(NETWORK)
