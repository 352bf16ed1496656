"""What the targets of examples are, described in one place.

A target may be one of some classes, a number, or several labels of which some are unknown. Readers
of data state which; tasks, tables and pages look here and nowhere else. What has another form
(boxes, points, masks) has a file of its own in ``gapwise.forms``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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
            a form that nobody stated (JSON, written elsewhere). Else a form of ``gapwise.forms``,
            whose file tells the array; in a predictions table such targets are (n,) str, JSON.
        names: a name for each column of the targets, or for each point.
        classes: the class names of each column, in the order of the scores; () for numbers.
        unit: what a number counts, such as ``dollars``.
        extent: (height, width) of the pictures that drawn targets lie on.
    """

    kind: str = "class"
    names: tuple[str, ...] = ("label",)
    classes: tuple[tuple[str, ...], ...] = ()
    unit: str = ""
    extent: tuple[int, ...] = ()

    @property
    def is_drawn(self) -> bool:
        """Whether targets have a form of their own, which is drawn on the example."""
        return self.kind not in ("class", "number", "several", "value")

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
        if self.is_drawn:
            of = f" of {len(self.classes[0])} classes" if self.classes else f" ({len(self.names)})"
            return f"{self.kind}{of}"
        return f"{len(self.names)} labels ({', '.join(self.names)})"

    def as_json(self) -> dict[str, Any]:
        """Return what ``read`` takes: plain values."""
        return {key: value for key, value in asdict(self).items() if key != "extent" or value}

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Labels":
        """Return what ``as_json`` gave, or ``asdict``."""
        classes = tuple(tuple(names) for names in values["classes"])
        named = {"names": tuple(values["names"]), "extent": tuple(values.get("extent", ()))}
        return cls(**{**values, **named, "classes": classes})


CLASSES = Labels()
"""One class an example, whose names stand elsewhere."""


def one_class(classes: Sequence[str], name: str = "label") -> Labels:
    """Return the description of targets that are positions in ``classes``."""
    return Labels(names=(name,), classes=(tuple(classes),))
