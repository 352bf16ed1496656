"""Check the gradients that a pipeline trains by, on a batch of its own data (notes 3.7)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from gapwise import pipeline_file
from gapwise.data.prepared import Prepared
from gapwise.records import Job, NumericPlan
from gapwise.settings import Settings
from gapwise.training.feeds import StreamFeed
from gapwise.training.gradcheck import EPSILON, FINE, WRONG, CheckedParameter
from gapwise.training.gradcheck_network import CheckedLayer, TrainingCost
from gapwise.training.job import make_learner
from gapwise.training.numerics import under
from gapwise.training.order import epoch_batches
from gapwise.training.plan import available_cores
from gapwise.training.recipe import read_recipe
from gapwise.workflows.prepare import ready

MOST_EXAMPLES = 16
"""Examples of the batch at most: each adds its own kinks, and nothing to what is checked."""


@dataclass(frozen=True, kw_only=True)
class GradientReport:
    """What a gradient check found.

    Attributes:
        pipeline: its name.
        cost: mean loss of the batch with L2, in float64.
        examples: examples of the batch.
        l2: λ of the cost.
        epsilon, fine, wrong: step of the differences, and the borders of the verdicts.
        parameters: every parameter, in the network's order.
        layers: where a parameter is wrong: the innermost layers that are wrong by themselves.
    """

    pipeline: str
    cost: float
    examples: int
    l2: float
    epsilon: float
    fine: float
    wrong: float
    parameters: tuple[CheckedParameter, ...]
    layers: tuple[CheckedLayer, ...]

    @property
    def passed(self) -> bool:
        """Whether every parameter was checked and none is wrong."""
        return all(found.verdict in ("fine", "look") for found in self.parameters)

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``gradcheck --json``; a difference that is no number is null."""
        document = asdict(self)
        for entry in (*document["parameters"], *document["layers"]):
            if entry["difference"] != entry["difference"]:
                entry["difference"] = None
        return document | {"passed": self.passed}


def check_gradients(
    name: str,
    overrides: Sequence[str] = (),
    *,
    coordinates: int | None,
    settings: Settings | None = None,
) -> GradientReport:
    """Compare backpropagation with two-sided differences, in float64 on the CPU.

    Args:
        name: the pipeline.
        overrides: ``dotted.key=value`` each.
        coordinates: coordinates of each parameter that are compared; None compares all.
        settings: where the stores are.

    Raises:
        PipelineError, DataError: the pipeline or its data is wrong.
        UsageError: dropout is on.
    """
    start = ready(name, settings or Settings.read(), overrides)
    pipeline = pipeline_file.resolve(start.pipeline)
    plan = NumericPlan(threads=start.pipeline.training.threads or available_cores())
    job = Job(pipeline=pipeline, data="", folder="", plan=plan, seed=start.pipeline.seed, epochs=1)
    with under(plan):
        cost = _cost(job, start.prepared)
        parameters = tuple(cost.check(coordinates=coordinates, seed=job.seed))
        wrong = any(found.verdict == "wrong" for found in parameters)
        return GradientReport(
            pipeline=start.pipeline.name,
            cost=float(cost().detach()),
            examples=len(cost.batch.positions),
            l2=start.pipeline.training.l2,
            epsilon=EPSILON,
            fine=FINE,
            wrong=WRONG,
            parameters=parameters,
            layers=tuple(cost.wrong_layers(job.seed)) if wrong else (),
        )


def _cost(job: Job, prepared: Prepared) -> TrainingCost:
    """Return the cost of the first examples that the pipeline would train on."""
    recipe = read_recipe(job.pipeline, {})
    batches = epoch_batches(prepared.indices("train"), recipe.batch_size, job.seed, 1)
    feed = StreamFeed(prepared, torch.device("cpu"))
    batch = next(feed.batches([batches[0][:MOST_EXAMPLES]]))
    return TrainingCost(make_learner(recipe, prepared, job), batch, recipe.l2)
