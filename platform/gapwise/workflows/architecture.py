"""What a network is made of, as plain values: every published size, and the network of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from gapwise.data import prepared as prepared_data
from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.figures.architecture import Block
from gapwise.networks.base import NETWORKS, Published
from gapwise.networks.describe import Layer, describe
from gapwise.settings import Settings
from gapwise.tasks.base import TASKS
from gapwise.tracking.store import RunStore
from gapwise.training.job import model_spec
from gapwise.training.model import Model
from gapwise.training.recipe import build, read_recipe
from gapwise.workflows import job_file
from gapwise.workflows.network_blocks import blocks


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network at one size.

    Attributes:
        name: the network's, in the registry.
        input_shape: of one example.
        outputs: units of the last layer.
        notes: section of the notes; "" where none is stated.
        parameters, macs: totals; macs of one forward pass of one example.
        layers: the table, one row a unit.
        blocks: what is drawn.
    """

    name: str
    input_shape: tuple[int, ...]
    outputs: int
    notes: str
    parameters: int
    macs: int
    layers: tuple[Layer, ...]
    blocks: tuple[Block, ...]


def sizes() -> list[str]:
    """Return the names of all networks at all sizes that are published for them."""
    return sorted(_sizes())


def of_size(name: str) -> Architecture:
    """Return the network and size called ``name``, one of ``sizes()``.

    Raises:
        UsageError: there is none of that name.
    """
    known = _sizes()
    if name not in known:
        raise UsageError(f"no network is called {shown(name)}; {did_you_mean(name, known)}")
    network, size = known[name]
    part = {"name": network, **size.options}

    def make() -> nn.Module:
        made: nn.Module = build(NETWORKS, part, input_shape=size.input_shape, outputs=size.outputs)
        return made

    return _described(network, make, size.input_shape, size.outputs, size.notes)


def of_run(ref: str, settings: Settings | None = None) -> Architecture:
    """Return the network of a run at the shape of its inputs; its weights are not needed.

    Raises:
        UsageError: there is no such run, or it was not trained on this machine.
        StorageError: its data is gone from the cache.
    """
    run = RunStore(settings or Settings.read()).open(ref)
    if run.folder is None or not (run.folder / job_file.NAME).is_file():
        raise UsageError(
            f"run {run.run_id} ({run.name}) has no network here: its predictions were recorded, or "
            "it was trained on another machine; choose a run that `gapwise train` made here"
        )
    job = job_file.read_job(run.folder)
    spec = model_spec(read_recipe(job.pipeline, {}), prepared_data.open(Path(job.data)))
    name = str(spec.network["name"])
    outputs = build(TASKS, spec.task).outputs(spec.labels)
    return _described(name, lambda: Model(spec).network, spec.input_shape, outputs, _notes(name))


def _described(
    name: str,
    make: Callable[[], nn.Module],
    input_shape: tuple[int, ...],
    outputs: int,
    notes: str,
) -> Architecture:
    # Without memory for weights: VGG-16 alone would take half a gigabyte.
    with torch.device("meta"):
        network = make()
    table = describe(network, input_shape)
    return Architecture(
        name=name,
        input_shape=input_shape,
        outputs=outputs,
        notes=notes,
        parameters=table.parameters,
        macs=table.macs,
        layers=table.layers,
        blocks=blocks(network, table.layers, input_shape),
    )


def _sizes() -> dict[str, tuple[str, Published]]:
    """Return name → network and size; one that publishes none stands at a small picture's size."""
    found: dict[str, tuple[str, Published]] = {}
    for network, part in NETWORKS:
        known: tuple[Published, ...] = getattr(part, "published", ())
        found |= {size.name: (network, size) for size in known or (_small_picture(network),)}
    return found


def _small_picture(network: str) -> Published:
    return Published(
        name=network, input_shape=(3, 32, 32), outputs=10, notes="", parameters=0, macs=0
    )


def _notes(network: str) -> str:
    known: tuple[Published, ...] = getattr(NETWORKS.get(network), "published", ())
    return known[0].notes if known else ""
