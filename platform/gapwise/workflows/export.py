"""`gapwise export`: a run's best network as a file for elsewhere, checked to give equal outputs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gapwise.errors import CheckError, StorageError, UsageError, did_you_mean
from gapwise.settings import Settings
from gapwise.workflows import export_onnx, export_safetensors
from gapwise.workflows.trained_run import TrainedRun, open_trained

Outputs = NDArray[np.float32]

TOLERANCE = 1e-4
CHECKED = 256

FORMATS: dict[str, Callable[[TrainedRun, Path], None]] = {
    "onnx": export_onnx.write,
    "safetensors": export_safetensors.write,
}
OUTPUTS: dict[str, Callable[[Path, NDArray[np.generic]], Outputs]] = {
    "onnx": export_onnx.outputs,
    "safetensors": export_safetensors.outputs,
}


def export(
    run_ref: str, to: str, output: Path | None = None, settings: Settings | None = None
) -> tuple[Path, float]:
    """Write a run's best network; check it on real dev examples before it gets its name.

    Args:
        run_ref: id, name, latest or best.
        to: ``safetensors`` (weights, with all that makes the network again as JSON metadata) or
            ``onnx`` (a graph that takes raw inputs and gives outputs and scores).
        output: the file; by default the run's id with the format's suffix, which must not be there.
        settings: where runs and caches are.

    Returns:
        The file, and the largest difference of an output, as a share of the largest output where
        that is above 1.

    Raises:
        UsageError: the format is unknown or not installed, or the run was not trained here.
        CheckError: the outputs differ by more than 1e-4; nothing is written then.
        StorageError: the checkpoint or the data is damaged or gone, or the disk refuses.
    """
    if to not in FORMATS:
        raise UsageError(f"--to {to!r} is no format; {did_you_mean(to, FORMATS)}")
    trained = open_trained(run_ref, settings or Settings.read())
    target = _target(output, f"{trained.run_id[:12]}.{to}")
    draft = target.with_name(f".{target.name}.draft")
    try:
        FORMATS[to](trained, draft)
        difference = largest_difference(trained, OUTPUTS[to], draft)
        if not difference <= TOLERANCE:
            raise CheckError(
                f"the {to} file of run {trained.run_id} gives outputs that differ by "
                f"{difference:.2g}, more than {TOLERANCE:g}, so it was not kept; try another format"
            )
        draft.replace(target)
    except OSError as error:
        raise StorageError(
            f"cannot write {target}: {error.strerror or error}; name another file with --output"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return target, difference


def largest_difference(
    trained: TrainedRun, outputs: Callable[[Path, NDArray[np.generic]], Outputs], path: Path
) -> float:
    """Return how far the file's outputs are from the network's, on up to 256 dev examples."""
    prepared = trained.prepared()
    inputs = np.array(prepared.inputs[prepared.indices("dev")[:CHECKED]])
    with torch.inference_mode():
        wanted = trained.model.eval()(torch.from_numpy(inputs)).numpy()
    scale = max(1.0, float(np.abs(wanted).max()))
    return float(np.abs(outputs(path, inputs) - wanted).max()) / scale


def _target(output: Path | None, name: str) -> Path:
    target = Path(name) if output is None else output
    if not target.name:
        raise UsageError(f"--output {target}: that is no file; name one")
    if output is None and target.exists():
        raise UsageError(f"{target} is there already; name a file with --output")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"--output {target}: there is no folder {target.parent}; make it first")
    return target
