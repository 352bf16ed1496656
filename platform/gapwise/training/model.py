"""A network with its normalisation: takes raw examples, gives outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gapwise.errors import PipelineError
from gapwise.labels import Labels, one_class
from gapwise.networks.base import GIVEN, NETWORKS, gives
from gapwise.tasks.base import TASKS, Task
from gapwise.training.recipe import build


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """All that is needed to make a model again, as plain values.

    Attributes:
        network, task: parts, each a name with its options beside it.
        input_shape: shape of one example.
        labels: what is predicted: class names in the order of the scores, or numbers.
        fitted: what the task learned from the targets of the train split.
    """

    network: Mapping[str, Any]
    task: Mapping[str, Any]
    input_shape: tuple[int, ...]
    labels: Labels
    fitted: Mapping[str, Any] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names where every example has one class, else ()."""
        return self.labels.only

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "ModelSpec":
        """Return the spec that a checkpoint or an exported file holds as plain values.

        Raises:
            KeyError: a value is missing.
        """
        # Files from before 0.2 know classes alone.
        labels = values.get("labels")
        return cls(
            network=values["network"],
            task=values["task"],
            input_shape=tuple(values["input_shape"]),
            labels=one_class(values["classes"]) if labels is None else Labels.read(labels),
            fitted=values.get("fitted", {}),
        )


class Model(nn.Module):
    """A network behind the normalisation by the training set's mean and deviation (notes 3.5).

    Attributes:
        outputs: units of the network's last layer.
        frozen: units of the network that do not train; they stay in evaluation mode.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.task: Task = build(TASKS, spec.task)
        self.task.use(spec.labels, spec.fitted)
        self.outputs = self.task.outputs(spec.labels)
        self.network: nn.Module = build(
            NETWORKS, spec.network, input_shape=spec.input_shape, outputs=self.outputs
        )
        self._check_gives()
        if self.task.learned is not None:
            self.learned = self.task.learned
        self.frozen: tuple[nn.Module, ...] = ()
        shape = (spec.input_shape[0],) + (1,) * (len(spec.input_shape) - 1)
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("deviation", torch.ones(shape))
        self.channels_last = False

    def _check_gives(self) -> None:
        """Refuse a network that gives rows to a task that wants a map, or the other way."""
        given, wanted = gives(self.network), self.task.wants
        if given != wanted:
            fitting = " or ".join(name for name, part in NETWORKS if gives(part) == wanted)
            raise PipelineError(
                f"network {self.spec.network['name']} gives {GIVEN[given]}, but task "
                f"{self.spec.task['name']} wants {GIVEN[wanted]}; set network: {fitting}"
            )

    def set_normalisation(self, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> None:
        """Take mean and deviation, each (channels,) or (features,), in the units of the inputs."""
        self.mean.copy_(torch.as_tensor(mean).reshape(self.mean.shape))
        self.deviation.copy_(torch.as_tensor(deviation).reshape(self.deviation.shape))

    def train(self, mode: bool = True) -> "Model":
        """Set the mode of all units but the frozen: batch norm's averages do not move in those."""
        super().train(mode)
        for unit in self.frozen:
            unit.eval()
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (n, units), or a map of units, for raw inputs as the dataset gave them."""
        outputs: Tensor = self.network(self.normalised(inputs))
        return outputs

    def normalised(self, inputs: Tensor) -> Tensor:
        """Return what the network's first layer sees of raw inputs; words are numbers as such."""
        if inputs.dtype in (torch.int32, torch.int64):
            return inputs
        if self.channels_last and inputs.ndim == 4:
            x = inputs.to(self.mean.dtype, memory_format=torch.channels_last)
        else:
            x = inputs.to(self.mean.dtype)
        return (x - self.mean) / self.deviation
