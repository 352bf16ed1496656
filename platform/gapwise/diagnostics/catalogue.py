"""The catalogue of knobs: every item of notes 3.3, 4.1, 4.2, 4.9 and 4.15, tied to one gap.

A knob whose ``change`` gives None does not apply to the pipeline at hand; one that has no
``change`` is for a person to do. ``notes`` names the section that it comes from.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gapwise.diagnostics import changes
from gapwise.diagnostics.changes import Change
from gapwise.diagnostics.pipeline_view import PipelineView


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A knob of the catalogue, before it meets a pipeline.

    ``of_network`` marks what a person does to a network of ours: of a network that was trained
    elsewhere nobody knows whether it has such a part. ``by_hand`` is the effort of people where no
    command does it. ``more_data`` marks the knob that a learning curve bounds.
    """

    name: str
    gap: str
    notes: str
    why: str
    change: Callable[[PipelineView], Change | None] | None = None
    of_network: bool = False
    by_hand: str = "hours"
    more_data: bool = False
    promise: Callable[[PipelineView], float] | float = 0.3

    @property
    def id(self) -> str:
        """What ``gapwise try`` calls it: its name in kebab case."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def effort(self) -> str:
        """What it costs people: ``minutes`` where a command does it, else hours or days."""
        return "minutes" if self.change else self.by_hand

    @property
    def needs_pipeline(self) -> bool:
        """Whether only a pipeline tells that the knob applies."""
        return self.change is not None or self.of_network


CATALOGUE: tuple[Entry, ...] = (
    Entry(
        name="Train longer",
        gap="avoidable_bias",
        notes="3.3, 4.1, 4.9",
        why="More passes fit the training set better.",
        change=changes.longer,
        promise=lambda view: 0.95 if view.still_learning else 0.4,
    ),
    Entry(
        name="Train a wider network",
        gap="avoidable_bias",
        notes="3.3, 4.1, 4.2, 4.9",
        why="More hidden units can fit what these cannot.",
        change=changes.wider,
        promise=0.6,
    ),
    Entry(
        name="Train a deeper network",
        gap="avoidable_bias",
        notes="3.3, 4.1, 4.9",
        why="One more layer can fit what these cannot.",
        change=changes.deeper,
    ),
    Entry(
        name="Use Adam",
        gap="avoidable_bias",
        notes="4.1, 4.2, 4.9",
        why="Adam usually reaches a lower training error in the same number of steps.",
        change=changes.adam,
        promise=0.35,
    ),
    Entry(
        name="Let the learning rate rise and fall",
        gap="avoidable_bias",
        notes="4.9",
        why="A one-cycle schedule fits better in the same number of epochs.",
        change=changes.schedule,
    ),
    Entry(
        name="Try another architecture",
        gap="avoidable_bias",
        notes="3.3, 4.1, 4.9",
        why="A network made for such inputs fits them better.",
        change=changes.architecture,
        promise=lambda view: 0.9 if view.dense else 0.5,
    ),
    Entry(
        name="Regularize less",
        gap="avoidable_bias",
        notes="3.3, 3.4",
        why="Regularization holds the network back from fitting the training set.",
        change=changes.regularize_less,
        promise=lambda view: 0.85 if view.held_back else 0.3,
    ),
    Entry(
        name="Try another activation function",
        gap="avoidable_bias",
        notes="4.1",
        why="Activations decide what a network can fit and how fast.",
        of_network=True,
    ),
    Entry(
        name="Search the hyperparameters",
        gap="avoidable_bias",
        notes="4.1, 4.9",
        why="The learning rate comes first, then hidden units and batch size.",
    ),
    Entry(
        name="Add L2 regularization",
        gap="variance",
        notes="3.3, 4.1, 4.2, 4.9",
        why="Smaller weights make a smoother function, which carries over better.",
        change=changes.l2,
        promise=0.4,
    ),
    Entry(
        name="Shift the training images",
        gap="variance",
        notes="3.3, 4.9",
        why="Shifted copies, drawn anew each epoch, act like more data.",
        change=changes.shift,
        promise=0.8,
    ),
    Entry(
        name="Drop out units",
        gap="variance",
        notes="3.3, 4.1, 4.9",
        why="A network that cannot rely on any one unit overfits less.",
        change=changes.dropout,
        promise=0.5,
    ),
    Entry(
        name="Mirror the training images",
        gap="variance",
        notes="3.3, 4.9",
        why="Where a mirrored image keeps its class, it acts like more data.",
        change=changes.mirror,
    ),
    Entry(
        name="Stop early",
        gap="variance",
        notes="3.3, 4.9",
        why="Training stops before the network learns the training set by heart.",
        change=changes.early,
        promise=0.2,
    ),
    Entry(
        name="Collect more training data",
        gap="variance",
        notes="3.3, 4.1, 4.2, 4.9",
        why="The more examples, the less can be learnt by heart.",
        by_hand="days",
        more_data=True,
    ),
    Entry(
        name="Try a smaller network",
        gap="variance",
        notes="4.1",
        why="A smaller network has less room to learn the training set by heart.",
        change=changes.smaller,
        promise=0.1,
    ),
    Entry(
        name="Use a network that shares weights",
        gap="variance",
        notes="3.3, 4.9",
        why="An architecture made for such inputs needs less data.",
        change=changes.convolutions,
        promise=0.9,
    ),
    Entry(
        name="Train on all the target data that dev and test leave",
        gap="data_mismatch",
        notes="4.15",
        why="The network then sees more of what it is judged on.",
        change=changes.rest,
        promise=0.9,
    ),
    Entry(
        name="Synthesize training data that looks like the target",
        gap="data_mismatch",
        notes="4.15",
        why="Pictures are redrawn as a camera sees them, noise is laid under sounds; look (listen) "
        "if the copies are like the target.",
        change=changes.synthesize,
        promise=0.8,
    ),
    Entry(
        name="Collect more training data like the target",
        gap="data_mismatch",
        notes="4.1, 4.15",
        why="What dev and test are made of is what the network must learn.",
        by_hand="days",
    ),
    Entry(
        name="Collect a more diverse training set",
        gap="data_mismatch",
        notes="4.1",
        why="What training never shows is met first in dev.",
        by_hand="days",
    ),
    Entry(
        name="Look at 100 dev errors by hand",
        gap="data_mismatch",
        notes="4.10, 4.15",
        why="What they have in common is how dev differs from the training data; the page "
        "Slices and gapwise mismatch show where to begin. Leave test alone.",
    ),
    Entry(
        name="Get a bigger dev set",
        gap="dev_overfit",
        notes="4.2",
        why="The more dev examples, the less a choice made on them is luck.",
        change=changes.bigger_dev,
    ),
    Entry(
        name="Draw a fresh dev set",
        gap="dev_overfit",
        notes="4.2, 4.5",
        why="A dev set that many choices were made on is worn.",
        by_hand="days",
    ),
    Entry(
        name="Drop equal examples from train",
        gap="leak",
        notes="4.5",
        why="An example that was trained on judges nothing.",
        change=changes.no_duplicates,
    ),
    Entry(
        name="Take look-alikes out of train",
        gap="leak",
        notes="4.5",
        why="Pictures that nearly equal those of dev were as good as trained on; name groups for "
        "what belongs together.",
    ),
    Entry(
        name="Fix the labels that are disputed",
        gap="label_noise",
        notes="4.11",
        why="Wrong labels hide what the network can do; fix dev and test by one process.",
    ),
    Entry(
        name="Change the dev set",
        gap="field",
        notes="4.2, 4.6",
        why="Where dev error and use disagree, dev does not look like use.",
    ),
    Entry(
        name="Change the metric",
        gap="field",
        notes="4.2, 4.6",
        why="Where the metric ranks networks otherwise than people do, it measures something else.",
    ),
)
