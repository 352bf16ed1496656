"""What holds for every pipeline that is shipped."""

from pathlib import Path

import pytest

from gapwise import pipeline_file
from gapwise.data.base import DATASETS, SYNTHESIS
from gapwise.networks.base import NETWORKS
from gapwise.pipeline import Pipeline
from gapwise.registry import Family
from gapwise.tasks.base import TASKS
from gapwise.training.initializers.base import INITIALIZERS
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.training.schedules.base import SCHEDULES

FILES = sorted((Path(__file__).parents[2] / "pipelines").glob("*.yaml"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    return pipeline_file.load(str(request.param))


def test_pipelines_are_shipped() -> None:
    assert {"digits", "mnist-to-usps", "fashion", "adult"} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_its_name_finds_it_and_is_its_files(path: Path) -> None:
    assert pipeline_file.load(path.stem).name == path.stem


def test_it_says_what_it_is_for(pipeline: Pipeline) -> None:
    assert len(pipeline.description.split()) > 3


def test_it_names_registered_parts_with_options_that_they_take(pipeline: Pipeline) -> None:
    training = pipeline.training
    parts: list[tuple[Family, object, str, tuple[str, ...]]] = [  # type: ignore[type-arg]
        (DATASETS, pipeline.data.dataset, "data.dataset", ()),
        (SYNTHESIS, pipeline.data.synthesize, "data.synthesize", ()),
        (TASKS, pipeline.task, "task", ()),
        (NETWORKS, pipeline.network, "network", ("input_shape", "outputs")),
        (INITIALIZERS, training.initializer, "training.initializer", ()),
        (OPTIMIZERS, training.optimizer, "training.optimizer", ()),
        (SCHEDULES, training.schedule, "training.schedule", ()),
    ]
    for family, part, where, fixed in parts:
        if part is not None:
            pipeline_file.check_options(family, part, where, fixed)


def test_it_loads_again_as_it_was_written_down(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / f"{pipeline.name}.yaml"
    path.write_text(pipeline_file.dump(pipeline))
    again = pipeline_file.load(str(path))
    assert pipeline_file.resolve(again) == pipeline_file.resolve(pipeline)
