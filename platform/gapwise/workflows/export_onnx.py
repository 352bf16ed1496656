"""A network as ONNX: one graph from raw inputs to outputs and scores, normalisation inside."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gapwise.errors import UsageError
from gapwise.labels import Labels
from gapwise.networks.word_vectors import takes_words
from gapwise.training.model import Model
from gapwise.workflows.export_safetensors import metadata
from gapwise.workflows.trained_run import TrainedRun

NEEDED = ("onnx", "onnxscript", "onnxruntime")


class Scored(nn.Module):
    """A model that gives more than outputs, so that nothing is left to the caller.

    These are its scores, or the numbers that it predicts, in their own unit.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return outputs, and (n, classes) scores or (n,) numbers, for raw inputs.

        Of what is drawn, outputs alone: how many boxes there are no graph knows beforehand.
        """
        outputs = self.model(inputs)
        if self.model.spec.labels.is_drawn:
            return (outputs,)
        scores = self.model.task.scores(outputs)
        return outputs, self.model.task.predict(outputs) if scores is None else scores


def write(trained: TrainedRun, path: Path) -> None:
    """Write the graph, for batches of any size, with the same metadata as safetensors.

    Inputs are ``inputs``: pictures and volumes uint8, rows and sequences float32, words int32, with
    n first; outputs are
    ``outputs`` and ``scores``, or ``predicted`` where the network predicts numbers; ``outputs``
    alone where it predicts boxes, points or masks.

    Raises:
        UsageError: the extra ``onnx`` is not installed.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"--to onnx needs {' and '.join(missing)}; install it by pip install 'gapwise[onnx]'"
        )
    model = trained.model.eval()
    shape = model.spec.input_shape
    kind = torch.uint8 if len(shape) > 2 else torch.float32
    if takes_words(model.network):
        kind = torch.int32
    with _quiet():
        program = torch.onnx.export(
            Scored(model).eval(),
            (torch.zeros((2, *shape), dtype=kind),),
            input_names=["inputs"],
            output_names=["outputs", *_beside(model.spec.labels)],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            dynamo=True,
            verbose=False,
        )
        assert program is not None  # dynamo=True always gives one
        program.model.metadata_props.update(metadata(trained))
        program.save(path)


def _beside(labels: Labels) -> list[str]:
    if labels.is_drawn:
        return []
    return ["predicted" if labels.kind == "number" else "scores"]


def outputs(path: Path, inputs: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the outputs that ONNX Runtime computes for raw inputs: (n, units)."""
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    found: NDArray[np.float32] = session.run(["outputs"], {"inputs": inputs})[0]
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence torch's exporter, which warns of its own parts and of torchvision (not used)."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.setLevel(level)
