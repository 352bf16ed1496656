"""Examples under corrected labels: what a pipeline trains on with ``data.labels`` (notes 4.11)."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gapwise.errors import DataError, shown
from gapwise.records import ExampleSet

MOST_NAMED = 3


def relabelled(examples: ExampleSet, labels: Mapping[str, str], revision: int) -> ExampleSet:
    """Return the examples with the labels of a revision.

    Args:
        examples: of one class each.
        labels: example → class, for every example that was ever reviewed.
        revision: what the revision is called, for the note that stays with the data.

    Raises:
        DataError: the examples have no classes, or a label is none of them.
    """
    if not labels:
        return examples
    if examples.labels.kind != "class":
        raise DataError(
            f"data.labels is {revision}, but {examples.name} holds {examples.labels.told}, which "
            "label revisions cannot mend; leave data.labels out"
        )
    places = {name: place for place, name in enumerate(examples.classes)}
    rows = {str(name): row for row, name in enumerate(examples.ids) if str(name) in labels}
    targets = np.array(examples.targets)
    for name, row in rows.items():
        if labels[name] not in places:
            raise DataError(
                f"label revision {revision} calls {shown(name)!r} {shown(labels[name])!r}, which "
                f"is no class of {examples.name}; review it again"
            )
        targets[row] = places[labels[name]]
    changed = int((targets != examples.targets).sum())
    notes = [f"Labels are those of revision {revision}: {changed:,} differ from how they came."]
    orphans = [name for name in labels if name not in rows]
    if orphans:
        named = ", ".join(shown(name) for name in orphans[:MOST_NAMED])
        more = ", …" if len(orphans) > MOST_NAMED else ""
        notes.append(
            f"{len(orphans):,} reviewed examples are not in the data any more ({named}{more}); the "
            "ledger keeps their labels, which are not applied."
        )
    return replace(examples, targets=targets, notes=(*examples.notes, *notes))
