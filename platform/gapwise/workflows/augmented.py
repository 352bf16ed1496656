"""Training pictures as they are and as augmentation changes them, for people to look at."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gapwise.data.looks import picture_of
from gapwise.errors import shown
from gapwise.forms.words import as_text
from gapwise.pipeline import Pipeline
from gapwise.records import ExampleSet
from gapwise.training.augmentation.augment import (
    augmentation_of,
    changes_asked,
    check_augmentation,
)
from gapwise.training.augmentation.follow import check_follows
from gapwise.workflows.samples import pixels

EXAMPLES = 3
EPOCHS = (1, 2, 3)

Pictures = dict[int, NDArray[np.uint8]]


def augmented_samples(
    examples: ExampleSet, train: NDArray[np.int64], pipeline: Pipeline
) -> list[dict[str, Any]]:
    """Return a few training pictures, each as it is and as the first epochs show it to the network.

    Each has ``title`` (lines of text) and ``pixels``; none where nothing is augmented.

    Args:
        examples: the examples.
        train: positions of those that are trained on.
        pipeline: its augmentation and seed are used.

    Raises:
        PipelineError: the augmentation is not for such data.
    """
    options = pipeline.training.augmentation.model_dump()
    check_augmentation(options, examples.inputs.shape[1:])
    check_follows(changes_asked(options), examples.labels)
    if not changes_asked(options):
        return []
    found = []
    for position in train[:: max(1, -(-len(train) // EXAMPLES))].tolist():
        label = shown(as_text(examples.labels, examples.targets[position]), 40)
        views = {0: np.asarray(examples.inputs[position])}
        views |= augmented(examples.inputs, train, pipeline, position, EPOCHS)
        for epoch, picture in views.items():
            told = f"epoch {epoch}" if epoch else "as it is"
            name, drawn = str(examples.ids[position]), np.asarray(picture_of(picture))
            found.append({"example_id": name, "title": [label, told], "pixels": pixels(drawn)})
    return found


def augmented(
    inputs: NDArray[Any],
    train: NDArray[np.int64],
    pipeline: Pipeline,
    position: int,
    epochs: Iterable[int],
) -> Pictures:
    """Return epoch → the picture that the network is shown of one example in that epoch.

    Each is (channels, height, width), rounded to uint8; the network gets it before the rounding.

    Args:
        inputs: (n, channels, height, width) uint8.
        train: positions of the examples that are trained on.
        pipeline: its augmentation and seed are used.
        position: the example's.
        epochs: from 1.
    """
    options = pipeline.training.augmentation.model_dump()
    augment = augmentation_of(options, inputs, train, pipeline.seed, torch.device("cpu"))
    picture = torch.from_numpy(np.array(inputs[position : position + 1]))
    at = torch.tensor([position])
    shown_in = {epoch: augment(picture, at, epoch)[0].float() for epoch in epochs}
    return {epoch: seen.round().byte().numpy() for epoch, seen in shown_in.items()}
