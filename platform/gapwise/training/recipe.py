"""What a job trains, read from its plain values."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gapwise.errors import PipelineError, did_you_mean, shown
from gapwise.registry import Family

Made = TypeVar("Made")
Part = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The parts of a pipeline that decide the weights, and when they are saved.

    Attributes:
        network, task, optimizer, schedule: parts, each a name with its options beside it.
        batch_size: examples a step.
        epochs: the schedule's horizon; a job may stop before it.
        l2: adds l2/2·‖w‖² to the loss for weights, not for biases and norms (the notes' λ/m, 3.4).
        mirror, shift: augmentation.
        patience: epochs without a better dev error before training stops; None never stops.
        checkpoint_seconds: seconds between checkpoints inside an epoch.
    """

    network: Part
    task: Part
    optimizer: Part
    schedule: Part
    batch_size: int
    epochs: int
    l2: float
    mirror: bool
    shift: int
    patience: int | None
    checkpoint_seconds: float


def read_recipe(pipeline: Mapping[str, Any], parameters: Mapping[str, Any]) -> Recipe:
    """Read a resolved pipeline, with the dotted overrides of a trial.

    Raises:
        PipelineError: a key is missing, or an override names none.
    """
    pipeline = overridden(pipeline, parameters)
    try:
        training = pipeline["training"]
        stopping = training["early_stopping"]
        return Recipe(
            network=pipeline["network"],
            task=pipeline["task"],
            optimizer=training["optimizer"],
            schedule=training["schedule"],
            batch_size=training["batch_size"],
            epochs=training["epochs"],
            l2=training["l2"],
            mirror=training["augmentation"]["mirror"],
            shift=training["augmentation"]["shift"],
            patience=None if stopping is None else stopping["patience"],
            checkpoint_seconds=training["checkpoint_seconds"],
        )
    except KeyError as error:
        raise PipelineError(
            f"the job's pipeline lacks the key {error}; make jobs from a resolved pipeline"
        ) from error


def overridden(pipeline: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``pipeline`` with each dotted key of ``parameters`` set.

    Raises:
        PipelineError: a key leads through something that holds no keys.
    """
    changed = copy.deepcopy(dict(pipeline))
    for dotted, value in parameters.items():
        *sections, last = dotted.split(".")
        place: Any = changed
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise PipelineError(
                f"parameter {shown(dotted)} leads nowhere in the pipeline; "
                f"{did_you_mean(dotted.split('.')[0], changed)}"
            )
        place[last] = value
    return changed


def build(family: Family[Any], part: Part, *given: Any, **fixed: Any) -> Any:
    """Make the member of ``family`` that ``part`` names, with the options beside the name.

    Args:
        given, fixed: what the platform supplies.

    Raises:
        PipelineError: the name or an option is not known, or the part refuses its value.
    """
    name = part["name"]
    options = {key: value for key, value in part.items() if key != "name"}
    known = family.options(name).keys() - fixed.keys()
    for option in options:
        if option not in known:
            raise PipelineError(
                f"{family.noun} {name} has no option {shown(option)!r}; "
                f"{did_you_mean(option, known)}"
            )
    try:
        return family.get(name)(*given, **fixed, **options)
    except (ValueError, RuntimeError) as error:  # torch's words for a size below 0 are the latter
        raise PipelineError(f"{family.noun} {name}: {error}; change the option") from error
