"""A moving average of a model's weights, which is judged and kept in their place (notes 3.9)."""

import copy
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from gapwise.training.averages import ExponentialAverage
from gapwise.training.model import Model


class WeightAverage:
    """A model beside the one that trains: its weights are the average of those after each step.

    The running averages of batch norm (notes 3.16) are averaged with the same β: they belong to
    weights that are on average as old as the averaged weights, so they fit these better than the
    newest ones. Whole numbers, such as the count of batches, are taken over as they are.

    Attributes:
        model: the averaged model, on the device and in the memory format of the one that trains.
    """

    def __init__(self, model: Model, *, beta: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self._sources = list(_floating(model))
        self._average = ExponentialAverage(list(_floating(self.model)), beta)
        self._whole = list(zip(_whole(self.model.network), _whole(model.network), strict=True))

    def add(self) -> None:
        """Take in the weights that the model in training has now."""
        self._average.add(self._sources)
        for ours, theirs in self._whole:
            ours.copy_(theirs)

    def tensors(self) -> dict[str, Tensor]:
        """Return what a resume needs beside the two models' own tensors."""
        return {"average.count": torch.tensor(self._average.count)}

    def restore(self, tensors: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint; from one without an average begin one.

        Args:
            tensors: what the checkpoint holds.
            weights: the state of the averaged model.
        """
        self.model.load_state_dict(dict(weights))
        self._average.count = int(tensors.get("average.count", 0))


def _floating(model: Model) -> Iterator[Tensor]:
    yield from model.network.parameters()
    yield from (buffer for buffer in model.network.buffers() if buffer.is_floating_point())
    if model.task.learned is not None:
        # What the task chooses on dev, its buffers, is chosen for the averaged model itself.
        yield from model.task.learned.parameters()


def _whole(network: nn.Module) -> Iterator[Tensor]:
    yield from (buffer for buffer in network.buffers() if not buffer.is_floating_point())
