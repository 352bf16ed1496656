"""What a job trains, read from its plain values."""

import copy
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, TypeVar

from gapwise.errors import PipelineError, did_you_mean, shown
from gapwise.registry import Family
from gapwise.training.transfer import Transfer, read_transfer

Made = TypeVar("Made")
Part = Mapping[str, Any]
Section = Mapping[str, Any]
BatchSize = int | Literal["all"]
_ABOVE = ("network", "task")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The parts of a pipeline that decide the weights, and when they are saved.

    ``network``, ``task`` and ``transfer`` are the pipeline's; every other field is the key of that
    name in its section ``training``. A field with a default is a knob that is off in a pipeline
    that was resolved before there was such a knob.

    Attributes:
        network, task, optimizer, schedule: parts, each a name with its options beside it.
        batch_size: examples a step; "all" is batch gradient descent (notes 3.8).
        epochs: the schedule's horizon; a job may stop before it.
        l2: adds l2/2·‖W‖² to the loss for weights, not for biases and norms: the notes' λ/m (3.4).
        augmentation: options of augmentation.
        early_stopping: ``patience``; None never stops.
        checkpoint_seconds: seconds between checkpoints inside an epoch.
        initializer: the part that draws the first weights; None leaves the network's own.
        weight_average: ``beta`` of the average of the weights that is judged; None: the weights.
        clip_norm: the longest gradient that is followed; None follows any.
        accumulate: parts that a batch is cut into, one in memory at a time.
        transfer: what becomes of the weights that it starts from; None starts from drawn ones.
    """

    network: Part
    task: Part
    optimizer: Part
    schedule: Part
    batch_size: BatchSize
    epochs: int
    l2: float
    augmentation: Section
    early_stopping: Section | None
    checkpoint_seconds: float
    initializer: Part | None = None
    weight_average: Section | None = None
    clip_norm: float | None = None
    accumulate: int = 1
    transfer: Transfer | None = None

    @property
    def patience(self) -> int | None:
        """Epochs without a better dev error before training stops; None never stops."""
        return None if self.early_stopping is None else self.early_stopping["patience"]


def read_recipe(pipeline: Mapping[str, Any], parameters: Mapping[str, Any]) -> Recipe:
    """Read a resolved pipeline, with the dotted overrides of a trial.

    Raises:
        PipelineError: a key is missing, an override names none, or sections do not go together.
    """
    pipeline = overridden(pipeline, parameters)
    knobs = fields(Recipe)
    needed = [knob.name for knob in knobs if knob.default is MISSING]
    values = dict(pipeline.get("training", {}))
    values |= {key: pipeline[key] for key in _ABOVE if key in pipeline}
    for key in needed:
        if key not in values:
            where = key if key in _ABOVE else f"training.{key}"
            raise PipelineError(
                f"the job's pipeline lacks the key {where!r}; make jobs from a resolved pipeline"
            )
    values["transfer"] = read_transfer(pipeline)
    return Recipe(**{knob.name: values[knob.name] for knob in knobs if knob.name in values})


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
