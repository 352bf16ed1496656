"""From a pipeline's name to all that a training needs: checked parts, data on disk, a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gapwise import pipeline_file
from gapwise.data import load
from gapwise.data.load import LabelsOf
from gapwise.data.prepared import Prepared
from gapwise.ledger.ledger import Ledger
from gapwise.networks.base import NETWORKS
from gapwise.pipeline import Pipeline
from gapwise.settings import Settings
from gapwise.tasks.base import TASKS
from gapwise.training.augmentation.augment import changes_asked, check_augmentation
from gapwise.training.augmentation.follow import check_follows
from gapwise.training.crops import read_crops
from gapwise.training.initializers.base import INITIALIZERS
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.training.schedules.base import SCHEDULES
from gapwise.workflows.labelled import check_revision, labels_at


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
    check_parts(pipeline)
    return pipeline


def check_parts(pipeline: Pipeline) -> None:
    """Check the options of every part that trains.

    Raises:
        PipelineError: a part or an option is not known, or has a wrong value.
    """
    check = pipeline_file.check_options
    check(NETWORKS, pipeline.network, "network", fixed=("input_shape", "outputs"))
    check(TASKS, pipeline.task, "task")
    check(OPTIMIZERS, pipeline.training.optimizer, "training.optimizer")
    check(SCHEDULES, pipeline.training.schedule, "training.schedule")
    if pipeline.training.initializer is not None:
        check(INITIALIZERS, pipeline.training.initializer, "training.initializer")


def pinned(pipeline: Pipeline, settings: Settings) -> Pipeline:
    """Return the pipeline with ``data.labels: latest`` as the revision that it is now.

    Raises:
        UsageError: the ledger has no such revision.
    """
    wanted = pipeline.data.labels
    if wanted is None:
        return pipeline
    ledger = Ledger(settings.ledger_url)
    revision = ledger.revision() if wanted == "latest" else wanted
    check_revision(ledger, revision)
    data = pipeline.data.model_copy(update={"labels": revision})
    return pipeline.model_copy(update={"data": data})


def labels_of(pipeline: Pipeline, settings: Settings) -> LabelsOf | None:
    """Return what gives the labels that a pinned pipeline trains on; None where it names none."""
    revision = pipeline.data.labels
    if not isinstance(revision, int):
        return None
    return lambda dataset: labels_at(dataset, settings, revision)


def ready(name: str, settings: Settings, overrides: Sequence[str] = ()) -> Ready:
    """Load the pipeline ``name`` and prepare its data; relative paths start at the working folder.

    Raises:
        PipelineError: the pipeline is wrong.
        DataError: the data is missing, wrong, or more of it is bad than is allowed.
    """
    pipeline = pinned(read(name, overrides), settings)
    prepared = load.prepare(pipeline, settings, Path.cwd(), labels_of(pipeline, settings))
    augmentation = pipeline.training.augmentation.model_dump()
    check_augmentation(augmentation, prepared.input_shape)
    check_follows(changes_asked(augmentation), prepared.labels)
    asked = {"prediction": pipeline.prediction.model_dump()}
    read_crops(asked, prepared.input_shape, is_drawn=prepared.labels.is_drawn)
    return Ready(pipeline=pipeline, prepared=prepared, folder=prepared.folder)
