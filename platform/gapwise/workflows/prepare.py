"""From a pipeline's name to all that a training needs: checked parts, data on disk, a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gapwise import pipeline_file
from gapwise.data import load
from gapwise.data.prepared import Prepared
from gapwise.networks.base import NETWORKS
from gapwise.pipeline import Pipeline
from gapwise.settings import Settings
from gapwise.tasks.base import TASKS
from gapwise.training.augmentation.augment import check_augmentation
from gapwise.training.crops import read_crops
from gapwise.training.initializers.base import INITIALIZERS
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.training.schedules.base import SCHEDULES


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A checked pipeline and its prepared data."""

    pipeline: Pipeline
    prepared: Prepared
    folder: Path


def read(name: str, overrides: Sequence[str] = ()) -> Pipeline:
    """Load a pipeline and check the options of every part that it names.

    Raises:
        PipelineError: the file, an override or an option is wrong.
    """
    pipeline = pipeline_file.load(name, overrides)
    check = pipeline_file.check_options
    check(NETWORKS, pipeline.network, "network", fixed=("input_shape", "outputs"))
    check(TASKS, pipeline.task, "task")
    check(OPTIMIZERS, pipeline.training.optimizer, "training.optimizer")
    check(SCHEDULES, pipeline.training.schedule, "training.schedule")
    if pipeline.training.initializer is not None:
        check(INITIALIZERS, pipeline.training.initializer, "training.initializer")
    return pipeline


def ready(name: str, settings: Settings, overrides: Sequence[str] = ()) -> Ready:
    """Load the pipeline ``name`` and prepare its data; relative paths start at the working folder.

    Raises:
        PipelineError: the pipeline is wrong.
        DataError: the data is missing, wrong, or more of it is bad than is allowed.
    """
    pipeline = read(name, overrides)
    prepared = load.prepare(pipeline, settings, Path.cwd())
    check_augmentation(pipeline.training.augmentation.model_dump(), prepared.input_shape)
    read_crops({"prediction": pipeline.prediction.model_dump()}, prepared.input_shape)
    return Ready(pipeline=pipeline, prepared=prepared, folder=prepared.folder)
