"""Synthesized training data: what does not come from the target, made to look like it (notes 4.15).

Every example of train that does not come from the target gets a synthesized copy, and so does
every such example of train-dev, which thereby stays a draw of the training distribution. Dev and
test never change. A copy belongs to its original's group, so that the two never straddle.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.assignment import Assignment, digest_of
from gapwise.data.pieces import rows_at_once
from gapwise.data.scratch import scratch
from gapwise.errors import PipelineError
from gapwise.records import ExampleSet

Redraw = Callable[[NDArray[np.uint8], list[str]], NDArray[np.uint8]]


def synthesize(
    examples: ExampleSet, assignment: Assignment, name: str, redraw: Redraw, folder: Path
) -> tuple[ExampleSet, Assignment]:
    """Return the examples and their splits with the copies at the end.

    Args:
        examples: images.
        assignment: their splits, drawn from a target.
        name: the synthesizer's name, which ids and sources of copies end with.
        redraw: gives the copies of a batch of pictures, from keys that seed them.
        folder: where a large result may be kept while it is needed.

    Raises:
        PipelineError: there is no target, or the examples are no images.
    """
    if assignment.target is None:
        raise PipelineError(
            "data.synthesize needs splits.target, the source that the copies shall look like; "
            "set it, or take data.synthesize out"
        )
    if examples.inputs.ndim != 4 or examples.inputs.dtype != np.uint8:
        raise PipelineError(
            f"data.synthesize: {name} redraws pictures, but dataset {examples.name!r} holds rows "
            "of features; take data.synthesize out"
        )
    away = examples.sources != assignment.target
    rows = np.flatnonzero(np.isin(assignment.split, ("train", "train_dev")) & away)
    keys = [f"synthesize/{assignment.seed}/{name}/{i}" for i in examples.ids[rows]]
    inputs = _with_copies(examples.inputs, rows, keys, redraw, folder)
    ids = _joined(examples.ids, rows, f"~{name}")
    split = np.concatenate([assignment.split, assignment.split[rows]])
    groups = examples.ids if examples.groups is None else examples.groups
    note = f"{len(rows)} training and train-dev examples are synthesized copies ({name})."
    more = replace(
        examples,
        inputs=inputs,
        ids=ids,
        sources=_joined(examples.sources, rows, f"~{name}"),
        groups=_joined(groups, rows, ""),
        targets=_joined(examples.targets, rows),
        weights=None if examples.weights is None else _joined(examples.weights, rows),
        media=None if examples.media is None else _joined(examples.media, rows, ""),
        metadata={key: _joined(column, rows) for key, column in examples.metadata.items()},
        notes=(*examples.notes, note),
    )
    return more, replace(assignment, split=split, digest=digest_of(ids, split))


def _joined(column: NDArray[Any], rows: NDArray[np.int64], ending: str = "") -> NDArray[Any]:
    """Return a column with the copies' values behind it, ``ending`` added to theirs."""
    copies = np.char.add(column[rows], ending) if ending else column[rows]
    return np.concatenate([column, copies])


def _with_copies(
    inputs: NDArray[np.uint8],
    rows: NDArray[np.int64],
    keys: list[str],
    redraw: Redraw,
    folder: Path,
) -> NDArray[np.uint8]:
    count = len(inputs)
    joined = scratch(folder, (count + len(rows), *inputs.shape[1:]))
    step = rows_at_once(inputs)
    for start in range(0, count, step):
        piece = inputs[start : start + step]
        joined[start : start + len(piece)] = piece
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        redrawn = redraw(inputs[part], keys[start : start + step])
        joined[count + start : count + start + len(part)] = redrawn
    return joined
