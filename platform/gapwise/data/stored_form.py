"""What of examples and their splits is stored: arrays by name, and plain values beside them."""

from dataclasses import asdict
from typing import Any

from numpy.typing import NDArray

from gapwise.data.assignment import Assignment
from gapwise.records import ExampleSet


def facts_of(examples: ExampleSet, assignment: Assignment) -> dict[str, Any]:
    """Return all that is stored beside the arrays, as plain values."""
    # One class an example is the common case, and says all by its classes.
    several = {} if examples.labels.kind == "class" else {"labels": examples.labels.as_json()}
    return several | {
        "name": examples.name,
        "n": len(examples),
        "classes": list(examples.classes),
        "feature_names": list(examples.feature_names),
        "input_shape": list(examples.inputs.shape[1:]),
        "media_root": examples.media_root,
        "snapshot": dict(examples.snapshot),
        "metadata": list(examples.metadata),
        "notes": [*examples.notes, *assignment.notes],
        "quarantine": [asdict(item) for item in examples.quarantine],
        "assignment": {
            "digest": assignment.digest,
            "cuts": assignment.cuts,
            "seed": assignment.seed,
            "target": assignment.target,
        },
    }


def columns_of(examples: ExampleSet, assignment: Assignment) -> dict[str, NDArray[Any]]:
    """Return every array to be stored by the stem of its file."""
    columns: dict[str, NDArray[Any]] = {
        "inputs": examples.inputs,
        "targets": examples.targets,
        "ids": examples.ids,
        "sources": examples.sources,
        "split": assignment.split,
    }
    optional = {"groups": examples.groups, "weights": examples.weights, "media": examples.media}
    columns |= {name: column for name, column in optional.items() if column is not None}
    for position, column in enumerate(examples.metadata.values()):
        columns[f"metadata-{position}"] = column
    return columns
