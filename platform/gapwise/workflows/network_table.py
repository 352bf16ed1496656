"""The sizes of networks whose numbers are known, and one of them layer by layer."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from gapwise.errors import PipelineError, did_you_mean, shown
from gapwise.networks.base import NETWORKS, Published
from gapwise.networks.describe import Description, Layer, described
from gapwise.workflows.part_reference import summary

Row = dict[str, Any]


def networks_table(name: str | None = None) -> list[Row]:
    """Return a row for each published size; with ``name`` that one alone, with its ``layers``.

    A row has ``name, parameters, macs, input, notes``, and ``network, outputs, options`` as a
    pipeline would give them.

    Args:
        name: of a size (``efficientnet-b0``), or of a network for the first of its sizes.

    Raises:
        PipelineError: no size and no network has that name, or the network lists no sizes.
    """
    if name is None:
        return [_row(network, entry) for network, _, entry in _entries()]
    network, made, entry = _found(name)
    given = {"input_shape": entry.input_shape, "outputs": entry.outputs}
    description = described(made, **given, **entry.options)
    return [_row(network, entry) | {"says": summary(made)} | _layers(description)]


def _entries() -> Iterator[tuple[str, type[nn.Module], Published]]:
    for network, made in NETWORKS:
        for entry in getattr(made, "published", ()):
            yield network, made, entry


def _found(name: str) -> tuple[str, type[nn.Module], Published]:
    entries = list(_entries())
    for wanted in (lambda found: found[2].name == name, lambda found: found[0] == name):
        if found := next(filter(wanted, entries), None):
            return found
    if name in NETWORKS.names():
        raise PipelineError(
            f"network {name} lists no sizes; give its class `published` (gapwise.networks.base)"
        )
    known = {entry.name for _, _, entry in entries} | {network for network, _, _ in entries}
    raise PipelineError(f"network {shown(name)!r} is not known; {did_you_mean(name, known)}")


def _row(network: str, entry: Published) -> Row:
    return {
        "name": entry.name,
        "parameters": entry.parameters,
        "macs": entry.macs,
        "input": list(entry.input_shape),
        "notes": entry.notes,
        "network": network,
        "outputs": entry.outputs,
        "options": dict(entry.options),
    }


def _layers(description: Description) -> Row:
    return {"layers": [_layer(layer) for layer in description.layers]}


def _layer(layer: Layer) -> Row:
    field = layer.receptive_field
    return {
        "name": layer.name,
        "kind": layer.kind,
        "output": list(layer.output_shape),
        "parameters": layer.parameters,
        "macs": layer.macs,
        "receptive_field": None
        if field is None
        else {"size": list(field.size), "stride": list(field.stride), "start": list(field.start)},
    }
