"""How much of what trains is the same over and over (notes 4.15).

A car that hears one hour of engine noise under a thousand hours of speech overfits to that hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from gapwise import ingredients
from gapwise.diagnostics.errors_by_split import group_keys
from gapwise.diagnostics.shift import Side

FEW: Final = 50
"""Examples for each different value from which on a source is called little diverse."""


@dataclass(frozen=True, kw_only=True)
class Diversity:
    """How few different values a training source is built from, held against dev.

    Attributes:
        source: the training source.
        column: whose values; ``group``; or a kind of ingredient.
        n: examples that have any.
        distinct: different values.
        unseen: share of dev that shows none of them; None where dev shows nothing of the kind.
        is_ingredient: whether ``column`` is a kind of ingredient.
    """

    source: str
    column: str
    n: int
    distinct: int
    unseen: float | None
    is_ingredient: bool = False

    @property
    def says(self) -> str:
        """One sentence."""
        told = f"{self.n:,} training examples of {self.source} are built from {self.distinct:,} "
        if self.is_ingredient:
            told += f"ingredient{'s' * (self.distinct > 1)} of the kind {self.column}"
        else:
            told += "groups" if self.column == "group" else f"values of {self.column}"
        if self.unseen:
            told += f", and {100 * self.unseen:.0f} % of dev show others"
        return f"{told}: a network can learn these by heart."


def diversity(train: Mapping[str, Side], dev: Side) -> tuple[Diversity, ...]:
    """Return the columns in which a training source repeats few values that dev does not share.

    A column counts where there are 50 examples or more for each of its values and half of dev, or
    more, shows none of them; groups count by their number alone. So do the ingredients that made
    examples record (``gapwise.ingredients``), kind by kind, where dev records none of that kind.

    Args:
        train: source → its training examples.
        dev: what the network is judged on.
    """
    found = []
    shown = _values(dev)
    for source, side in train.items():
        for column, used in _values(side).items():
            known = frozenset[str]().union(*used)
            others = shown.get(column)
            if len(used) < FEW * len(known) or (others is None and not column.is_ingredient):
                continue
            unseen = (
                None if others is None else sum(not one & known for one in others) / len(others)
            )
            if unseen is None or unseen >= 0.5:
                found.append(
                    Diversity(
                        source=source,
                        column=column.name,
                        n=len(used),
                        distinct=len(known),
                        unseen=unseen,
                        is_ingredient=column.is_ingredient,
                    )
                )
        keys = group_keys(side.group)
        few = 0 if keys is None else len(np.unique(keys))
        if keys is not None and len(keys) >= FEW * few:
            found.append(
                Diversity(source=source, column="group", n=len(keys), distinct=few, unseen=None)
            )
    return tuple(found)


class _Column(NamedTuple):
    """A column of names, or a kind of ingredient."""

    name: str
    is_ingredient: bool = False


def _values(side: Side) -> dict[_Column, list[frozenset[str]]]:
    """Return what each example shows in each column of names, and of each kind of ingredient."""
    found: dict[_Column, list[frozenset[str]]] = {}
    for name, values in side.columns.items():
        if values.dtype.kind not in "USO":
            continue
        texts = values.astype(str)
        if name == ingredients.COLUMN:
            kinds = ingredients.by_kind(texts).items()
            found |= {_Column(kind, is_ingredient=True): used for kind, used in kinds}
        else:
            found[_Column(name)] = [frozenset((text,)) for text in texts.tolist()]
    return found
