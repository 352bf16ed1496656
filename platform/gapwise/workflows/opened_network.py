"""A run's network with its weights, and the dev examples to show it; nothing else runs it here.

It runs on the CPU, in float32, in evaluation mode.
"""

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gapwise.data.prepared import Prepared
from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.networks.base import layers
from gapwise.networks.describe import Description, ReceptiveField, describe
from gapwise.settings import Settings
from gapwise.training.model import Model
from gapwise.workflows.trained_run import open_trained

MOST_EXAMPLES: Final = 5000
LEAST_EXAMPLES: Final = 32
MOST_MACS: Final = 20e9

_DULL: Final = (nn.Flatten, nn.Dropout, nn.Dropout2d, nn.Identity)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer whose outputs can be looked at.

    Attributes:
        name: dotted, as in the network's table.
        kind: what it is.
        shape: of its output without the batch: (channels, height, width) of maps, else (units,).
        sees: the pixels that one value of a map depends on; None: it may depend on all.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    sees: ReceptiveField | None

    @property
    def units(self) -> int:
        """How many units it has: channels, where they are maps."""
        return self.shape[0]

    @property
    def has_maps(self) -> bool:
        """Whether each unit is a map, not a single number."""
        return len(self.shape) == 3 and self.shape[1] * self.shape[2] > 1


class Inside:
    """A run's best network with the examples of its dev split, opened to be looked into."""

    def __init__(self, run_id: str, model: Model, data: Prepared) -> None:
        self.run_id = run_id
        self._model = model.float().eval()
        self._data = data
        self._dev = data.indices("dev")
        # Pages of several people share one network, and what hangs on it while it runs.
        self._lock = Lock()

    @cached_property
    def ids(self) -> list[str]:
        """The ids of the examples of dev, in the order of the data."""
        return [str(name) for name in self._data.ids[self._dev]]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self._model.spec.input_shape

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the units of the last layer are called; () where they have no names."""
        labels = self._model.spec.labels
        pairs = zip(labels.names, labels.classes, strict=False)
        several = tuple(f"{name}: {one}" for name, classes in pairs for one in classes)
        ways: tuple[tuple[str, ...], ...] = (labels.only, labels.names, several)
        return next((names for names in ways if len(names) == self._model.outputs), ())

    @property
    def has_pictures(self) -> bool:
        """Whether examples are pictures, not rows of features."""
        return len(self.input_shape) == 3

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers whose outputs are worth a look, in order."""
        rows = {row.name: row for row in self._table.layers}
        return tuple(
            Layer(
                name=name,
                kind=rows[name].kind,
                shape=rows[name].output_shape,
                sees=rows[name].receptive_field,
            )
            for name, module in self._units.items()
            if not isinstance(module, _DULL) and len(rows[name].output_shape) in (1, 3)
        )

    def layer(self, name: str) -> Layer:
        """Return the layer called ``name``.

        Raises:
            UsageError: there is none that can be looked at.
        """
        for one in self.layers:
            if one.name == name:
                return one
        known = [one.name for one in self.layers]
        raise UsageError(f"the network has no layer {shown(name)}; {did_you_mean(name, known)}")

    def place(self, example_id: str) -> int:
        """Return the place of an example in dev.

        Raises:
            DataError: dev has no such example.
        """
        place = self._places.get(example_id)
        if place is None:
            raise DataError(
                f"dev has no example {shown(example_id)}; {did_you_mean(example_id, self.ids)}"
            )
        return place

    def looked_at(self) -> NDArray[np.int64]:
        """Return the places in dev that the search for patches looks at, spread evenly over it.

        Their number keeps the multiply-accumulates below ``MOST_MACS``, yet is at least
        ``LEAST_EXAMPLES``.
        """
        affordable = MOST_MACS / max(1, self._table.macs)
        count = min(len(self._dev), MOST_EXAMPLES, max(LEAST_EXAMPLES, int(affordable)))
        return np.linspace(0, len(self._dev) - 1, count).round().astype(np.int64)

    @cached_property
    def _table(self) -> Description:
        return describe(self.network, self.input_shape)

    @cached_property
    def _units(self) -> dict[str, nn.Module]:
        # A network that is no chain is one unit, and its table calls it so.
        return {name or "network": unit for name, unit in layers(self.network)}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.ids)}

    def inputs(self, places: NDArray[np.int64]) -> NDArray[Any]:
        """Return the raw inputs of examples of dev, (n, *input_shape)."""
        return np.array(self._data.inputs[self._dev[places]])

    def outputs_of(self, layer: Layer, places: NDArray[np.int64]) -> Tensor:
        """Return what a layer gives for examples of dev, batch first; nothing behind it is run."""
        goal = self._units[layer.name].register_forward_hook(_stop)
        with self._lock, torch.inference_mode(), goal:
            try:
                self._model(torch.from_numpy(self.inputs(places)))
            except _Reached as reached:
                return reached.output
        raise RuntimeError(f"layer {layer.name} did not run")

    @property
    def network(self) -> nn.Module:
        """The network itself, behind the normalisation."""
        return self._model.network


def open_inside(ref: str, settings: Settings | None = None) -> Inside:
    """Open the best network of the run that ``ref`` names, and the data that it was trained on.

    Raises:
        UsageError: there is no such run, or it was not trained on this machine.
        StorageError: it has no whole checkpoint, or its data is gone from the cache.
    """
    trained = open_trained(ref, settings or Settings.read())
    return Inside(trained.run_id, trained.model, trained.prepared())


class _Reached(Exception):  # noqa: N818 - no error: it ends a forward pass at its goal
    """The layer that is wanted has run."""

    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = output


def _stop(module: nn.Module, inputs: Any, output: Tensor) -> None:
    raise _Reached(output)
