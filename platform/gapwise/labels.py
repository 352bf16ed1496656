"""What the targets of examples are, described in one place.

A target may be one of some classes, a number, or several labels of which some are unknown. Readers
of data state which; tasks, tables and pages look here and nowhere else. What has another form
(boxes, masks, sequences) gets a ``kind`` of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN = -1
"""Stands in targets of several labels where a label is unknown."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What the targets of examples are: the one description that tasks, tables and pages read.

    Attributes:
        kind: ``class``: targets are (n,) int64, positions in ``classes[0]``. ``number``: (n,)
            float32. ``several``: (n, k) int64, column i holding positions in ``classes[i]``, and -1
            where that label of that example is unknown. ``value``: (n,) str, of
            a form that nobody stated (JSON, written elsewhere).
        names: a name for each column of the targets.
        classes: the class names of each column, in the order of the scores; () for numbers.
        unit: what a number counts, such as ``dollars``.
    """

    kind: str = "class"
    names: tuple[str, ...] = ("label",)
    classes: tuple[tuple[str, ...], ...] = ()
    unit: str = ""

    @property
    def only(self) -> tuple[str, ...]:
        """The class names where every example has one class, else ()."""
        return self.classes[0] if self.kind == "class" and self.classes else ()

    @property
    def told(self) -> str:
        """What a target is, in a few words."""
        if self.kind == "class":
            return f"{len(self.only)} classes"
        if self.kind in ("number", "value"):
            return f"{self.kind}s ({self.names[0]})"
        return f"{len(self.names)} labels ({', '.join(self.names)})"

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Labels":
        """Return what ``asdict`` made plain."""
        classes = tuple(tuple(names) for names in values["classes"])
        return cls(**{**values, "names": tuple(values["names"]), "classes": classes})


CLASSES = Labels()
"""One class an example, whose names stand elsewhere."""


def as_text(labels: Labels, target: Any) -> str:
    """Return one target for people: a class's name, a number with its unit, or ``name: class, …``.

    Args:
        labels: what the target is.
        target: a position, a number, or (k,) positions, of which unknown ones are shown as "?".
    """
    if labels.kind == "number":
        return f"{float(target):,.6g} {labels.unit}".rstrip()
    if labels.kind == "class":
        return labels.only[int(target)]
    if labels.kind == "value":
        return str(target)
    told = (
        f"{name}: {classes[int(code)] if code != UNKNOWN else '?'}"
        for name, classes, code in zip(labels.names, labels.classes, target, strict=True)
    )
    return ", ".join(told)


def one_class(classes: Sequence[str], name: str = "label") -> Labels:
    """Return the description of targets that are positions in ``classes``."""
    return Labels(names=(name,), classes=(tuple(classes),))
