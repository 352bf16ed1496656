"""What a stored run's network costs, measured once for each way of asking and kept."""

import platform
from contextlib import suppress
from dataclasses import dataclass, replace

from gapwise.errors import StorageError, UsageError
from gapwise.settings import Settings
from gapwise.tracking.files import naming, read_json, write_json
from gapwise.training.costs import Costs, costs
from gapwise.training.crops import read_crops
from gapwise.training.numerics import device_of
from gapwise.workflows.trained_run import open_trained

MOST_BATCH = 65_536


@dataclass(frozen=True, kw_only=True)
class CostRequest:
    """How the cost is measured.

    Attributes:
        batch: examples a forward pass.
        device: ``cpu``, ``cuda``, …
        threads: of the CPU.
        again: measure what was measured before, too.
    """

    batch: int = 1
    device: str = "cpu"
    threads: int = 1
    again: bool = False


def check_costs(request: CostRequest) -> None:
    """Refuse what cannot be measured here.

    Raises:
        UsageError: a batch or threads out of bounds, or the device is not here.
    """
    if not 1 <= request.batch <= MOST_BATCH:
        raise UsageError(f"--batch {request.batch}: give a number from 1 to {MOST_BATCH:,}")
    if not 1 <= request.threads <= 1024:
        raise UsageError(f"--threads {request.threads}: give a number from 1 to 1024")
    try:
        device_of(request.device)
    except (RuntimeError, UsageError) as error:
        raise UsageError(f"--device {request.device} is not here; leave it out for cpu") from error


def costs_of(run_id: str, request: CostRequest, settings: Settings) -> Costs:
    """Return what the best network of a run costs; under the precision that it was trained in.

    What was measured on this kind of machine before is read again.

    Raises:
        UsageError: the run has no network here.
        StorageError: it has no whole checkpoint.
    """
    name = f"{request.device.replace(':', '-')}-batch{request.batch}-threads{request.threads}.json"
    path = settings.home / "costs" / run_id / name
    machine = {"machine": platform.machine(), "processor": _processor()}
    if path.is_file() and not request.again:
        noted = read_json(path)
        if {key: noted.pop(key, None) for key in machine} == machine:
            return Costs.read(noted)
    trained = open_trained(run_id, settings)
    plan = replace(trained.plan, device=request.device, threads=request.threads, compiled=False)
    crops = read_crops(trained.pipeline, trained.model.spec.input_shape)
    found = costs(trained.model, plan, request.batch, crops)
    # A home that cannot be written is measured anew each time.
    with suppress(StorageError), naming(path.parent, "make"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, found.as_json() | machine)
    return found


def _processor() -> str:
    """Return what the processor calls itself, where the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            named = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    except OSError:
        named = []
    return named[0].strip() if named else platform.processor()
