"""A network as safetensors: weights, and all that makes it again as JSON in the metadata."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from gapwise.errors import StorageError, shown
from gapwise.training.model import Model, ModelSpec
from gapwise.workflows.trained_run import TrainedRun

FORMAT = "gapwise.network/1"


def write(trained: TrainedRun, path: Path) -> None:
    """Write the network of a run: its weights, and ``metadata`` beside them."""
    state = trained.model.state_dict()
    tensors = {name: tensor.cpu().contiguous() for name, tensor in state.items()}
    path.write_bytes(save(tensors, metadata(trained)))


def metadata(trained: TrainedRun) -> dict[str, str]:
    """Return what a file says of its network: each value is JSON, as text."""
    model = trained.model
    facts = {
        "format": FORMAT,
        "run_id": trained.run_id,
        "gapwise": version("gapwise"),
        "network": dict(model.spec.network),
        "task": dict(model.spec.task),
        "input_shape": list(model.spec.input_shape),
        "labels": model.spec.labels.as_json(),
        "fitted": dict(model.spec.fitted),
        "classes": list(model.spec.classes),
        "normalisation": {
            "mean": model.mean.flatten().tolist(),
            "deviation": model.deviation.flatten().tolist(),
        },
    }
    return {name: json.dumps(fact, ensure_ascii=False) for name, fact in facts.items()}


def read(path: Path) -> Model:
    """Return the network of an exported file, in evaluation mode; it takes raw inputs.

    Raises:
        StorageError: the file is missing or no network that was exported here.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        model = Model(ModelSpec.read(facts))
        model.load_state_dict(tensors)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise StorageError(
            f"{path} is no network that gapwise exported ({shown(error, 200)}); export the run "
            "again"
        ) from error
    return model.eval()


def outputs(path: Path, inputs: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the outputs of the file's network for raw inputs: (n, units)."""
    with torch.inference_mode():
        found: NDArray[np.float32] = read(path)(torch.from_numpy(inputs)).numpy()
    return found
