"""Synthesized training data: what does not come from the target, made to look like it (notes 4.15).

Every example of train that does not come from the target gets a synthesized copy, and so does
every such example of train-dev, which thereby stays a draw of the training distribution. Dev and
test never change. A copy belongs to its original's group, so that the two never straddle.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise import ingredients
from gapwise.data.assignment import Assignment, digest_of
from gapwise.data.base import Copies, Originals
from gapwise.data.pieces import rows_at_once
from gapwise.data.scratch import scratch
from gapwise.errors import PipelineError
from gapwise.records import ExampleSet


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """A synthesizer with its options.

    Attributes:
        name: which ids and sources of copies end with.
        make: makes copies.
        root: the folder that relative paths of the pipeline refer to.
        scratch: the folder where a large result may be kept while it is needed.
    """

    name: str
    make: Callable[[Originals], Copies]
    root: Path
    scratch: Path


def synthesize(
    examples: ExampleSet, assignment: Assignment, synthesis: Synthesis
) -> tuple[ExampleSet, Assignment]:
    """Return the examples and their splits with the copies at the end.

    Raises:
        PipelineError: there is no target, or the synthesizer is not for such examples.
    """
    if assignment.target is None:
        raise PipelineError(
            "data.synthesize needs splits.target, the source that the copies shall look like; "
            "set it, or take data.synthesize out"
        )
    away = examples.sources != assignment.target
    rows = np.flatnonzero(np.isin(assignment.split, ("train", "train_dev")) & away)
    keys = [f"synthesize/{assignment.seed}/{synthesis.name}/{i}" for i in examples.ids[rows]]
    inputs, added = _with_copies(examples, rows, keys, synthesis)
    ending = f"~{synthesis.name}"
    ids = _joined(examples.ids, rows, ending)
    split = np.concatenate([assignment.split, assignment.split[rows]])
    groups = examples.ids if examples.groups is None else examples.groups
    metadata = {key: _joined(column, rows) for key, column in examples.metadata.items()}
    note = f"{len(rows)} training and train-dev examples are synthesized copies ({synthesis.name})."
    more = replace(
        examples,
        inputs=inputs,
        ids=ids,
        sources=_joined(examples.sources, rows, ending),
        groups=_joined(groups, rows),
        targets=_joined(examples.targets, rows),
        weights=None if examples.weights is None else _joined(examples.weights, rows),
        media=_media(examples.media, len(rows)),
        metadata=metadata | _recipes(examples, rows, added),
        notes=(*examples.notes, note),
    )
    return more, replace(assignment, split=split, digest=digest_of(ids, split))


def _joined(column: NDArray[Any], rows: NDArray[np.int64], ending: str = "") -> NDArray[Any]:
    """Return a column with the copies' values behind it, ``ending`` added to theirs."""
    copies = np.char.add(column[rows], ending) if ending else column[rows]
    return np.concatenate([column, copies])


def _media(media: NDArray[np.str_] | None, copies: int) -> NDArray[np.str_] | None:
    """Return the files of all examples: a copy has none, since its original's is not what it is."""
    return None if media is None else np.concatenate([media, np.full(copies, "")])


def _recipes(
    examples: ExampleSet, rows: NDArray[np.int64], added: list[str]
) -> dict[str, NDArray[np.str_]]:
    """Return the column of ingredients, where copies have any that can be named."""
    if not any(added):
        return {}
    own = examples.metadata.get(ingredients.COLUMN, np.full(len(examples), ""))
    copies = []
    for row, beside in zip(rows, added, strict=True):
        original = str(own[row]) or ingredients.recipe([("original", str(examples.ids[row]))])
        copies.append(ingredients.joined(original, beside))
    return {ingredients.COLUMN: np.concatenate([own, np.array(copies, np.str_)])}


def _with_copies(
    examples: ExampleSet, rows: NDArray[np.int64], keys: list[str], synthesis: Synthesis
) -> tuple[NDArray[Any], list[str]]:
    """Return all inputs with the copies behind them, and what was added to each copy."""
    inputs, count = examples.inputs, len(examples)
    joined = scratch(synthesis.scratch, (count + len(rows), *inputs.shape[1:]), inputs.dtype)
    step = rows_at_once(inputs)
    for start in range(0, count, step):
        piece = inputs[start : start + step]
        joined[start : start + len(piece)] = piece
    added: list[str] = []
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        originals = Originals(
            inputs=inputs[part],
            keys=keys[start : start + step],
            files=_files(examples, part),
            root=synthesis.root,
        )
        made = synthesis.make(originals)
        joined[count + start : count + start + len(part)] = made.inputs
        added += made.added or [""] * len(part)
    return joined, added


def _files(examples: ExampleSet, rows: NDArray[np.int64]) -> list[Path]:
    if examples.media is None:
        return []
    return [Path(examples.media_root) / name for name in examples.media[rows].tolist()]
