"""A stored run's best network, to be used on new examples or exported."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapwise.data import prepared as prepared_data
from gapwise.data.prepared import Prepared
from gapwise.errors import UsageError
from gapwise.records import NumericPlan
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.training.crops import outputs_of_crops, read_crops
from gapwise.training.learner import evaluating, evaluation_batch, ready
from gapwise.training.model import Model
from gapwise.training.numerics import autocast, under
from gapwise.training.predict import load_network
from gapwise.workflows import job_file


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """A run with its best network.

    Attributes:
        run_id: the run.
        model: on the CPU, in evaluation mode; takes raw inputs.
        plan: the numeric plan that it was trained under.
        data: the folder of its prepared data.
        pipeline: its resolved pipeline.
    """

    run_id: str
    model: Model
    plan: NumericPlan
    data: Path
    pipeline: Mapping[str, Any]

    def prepared(self) -> Prepared:
        """Open the data that the run was trained on.

        Raises:
            StorageError: it is gone from the cache, or damaged.
        """
        return prepared_data.open(self.data)


def open_trained(ref: str, settings: Settings) -> TrainedRun:
    """Open the run that ``ref`` names with the network of its best checkpoint.

    Raises:
        UsageError: there is no such run, or it was not trained on this machine.
        StorageError: it has no whole checkpoint.
    """
    run = RunStore(settings).open(ref)
    if run.members:
        raise UsageError(
            f"run {run.run_id} ({run.name}) is made of other runs ({run.kind}) and has no network "
            f"of its own; name one of its members: {', '.join(run.members)}"
        )
    if run.folder is None or not (run.folder / job_file.NAME).is_file():
        raise UsageError(
            f"run {run.run_id} ({run.name}) has no network here: its predictions were recorded, or "
            "it was trained on another machine; name a run that `gapwise train` made here"
        )
    job = job_file.read_job(run.folder)
    return TrainedRun(
        run_id=run.run_id,
        model=load_network(Path(job.folder)),
        plan=job.plan,
        data=Path(job.data),
        pipeline=job.pipeline,
    )


def outputs_of(trained: TrainedRun, inputs: NDArray[Any]) -> Tensor:
    """Return the network's outputs for raw inputs, batch by batch: float32 on the CPU.

    Of as many crops of each picture as the run's pipeline says, averaged; computed under the run's
    numeric plan, or where its device is not here, on the CPU in float32.
    """
    plan = _possible(trained.plan)
    model = trained.model
    crops = read_crops(trained.pipeline, model.spec.input_shape)
    parts: list[Tensor] = []
    with under(plan) as device, evaluating(ready(model, plan)):
        size = evaluation_batch(model)
        for start in range(0, max(1, len(inputs)), size):  # none is a batch too
            batch = torch.from_numpy(np.array(inputs[start : start + size])).to(device)
            with autocast(plan):
                parts.append(outputs_of_crops(model, batch, crops).cpu())
        return torch.cat(parts)


def _possible(plan: NumericPlan) -> NumericPlan:
    kind = torch.device(plan.device).type
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if here.get(kind, True):
        return plan
    return replace(plan, device="cpu", dtype="float32", channels_last=False)
