"""The space of a search: each knob between 0 and 1 on its own scale (notes 3.14)."""

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gapwise.pipeline_search import Scale, Searched

DIGITS = 4
"""Significant digits of a drawn number: enough for any knob, and readable."""

Point = Mapping[str, float]
"""Places of knobs by their keys, from 0 (low) to 1 (high); the middle of its cell for a choice."""


@dataclass(frozen=True, kw_only=True)
class Knob:
    """One knob of the space.

    Attributes:
        key: its dotted key in the pipeline.
        scale: of the range from ``low`` to ``high``; None for a choice among ``choices``.
        tier: its priority, from 1.
        when: values that other knobs must have for this one to be searched.
    """

    key: str
    scale: Scale | None
    low: float = 0.0
    high: float = 1.0
    choices: tuple[Any, ...] = ()
    tier: int = 1
    when: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cells(self) -> int | None:
        """How many values there are; None where they are not counted."""
        if self.scale is None:
            return len(self.choices)
        if self.scale in ("integer", "power-of-two"):
            low, high = self._ends
            return round(high - low) + 1
        return None

    def at(self, place: float) -> Any:
        """Return the value at ``place``; below 0 and above 1 a range goes on."""
        cells = self.cells
        if cells is not None:
            number = math.floor(place * cells)
            if self.scale is None:
                return self.choices[min(max(number, 0), cells - 1)]
            low, _ = self._ends
            if self.scale == "integer":
                return round(low) + min(number, cells - 1) if place <= 1 else round(low) + number
            return 2 ** max(0, round(low) + (min(number, cells - 1) if place <= 1 else number))
        low, high = self._ends
        return self._value(low + place * (high - low))

    def place(self, value: Any) -> float:
        """Return where ``value`` lies; a value that no choice has lies at 0.5."""
        if self.scale is None:
            at = next((i for i, one in enumerate(self.choices) if one == value), None)
            return 0.5 if at is None else (at + 0.5) / len(self.choices)
        low, high = self._ends
        inner = self._inner(float(value))
        cells = self.cells
        return (inner - low) / (high - low) if cells is None else (inner - low + 0.5) / cells

    @property
    def _ends(self) -> tuple[float, float]:
        return self._inner(self.low), self._inner(self.high)

    def _inner(self, value: float) -> float:
        """Return ``value`` on the scale that the knob is drawn on."""
        if self.scale == "log":
            return math.log(value)
        if self.scale == "one-minus-log":
            return -math.log1p(-value)
        return math.log2(value) if self.scale == "power-of-two" else value

    def _value(self, inner: float) -> float:
        if self.scale == "log":
            return significant(math.exp(inner))
        if self.scale == "one-minus-log":
            distance = significant(math.exp(-inner))
            return round(1 - distance, 12)
        return significant(inner)


@dataclass(frozen=True, kw_only=True)
class Space:
    """All knobs, those that others depend on first."""

    knobs: tuple[Knob, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {knob.key: knob for knob in self.knobs})

    def __getitem__(self, key: str) -> Knob:
        found: dict[str, Knob] = self._by_key  # type: ignore[attr-defined]
        return found[key]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all knobs, in order."""
        return tuple(knob.key for knob in self.knobs)

    def values(self, point: Point) -> dict[str, Any]:
        """Return the parameters of a point: of the knobs whose conditions hold there."""
        found: dict[str, Any] = {}
        for knob in self.knobs:
            if knob.key in point and _holds(knob, found):
                found[knob.key] = knob.at(point[knob.key])
        return found

    def point(self, parameters: Mapping[str, Any]) -> dict[str, float]:
        """Return where parameters lie; one that has no place on its knob's scale has none."""
        found = {}
        for knob in self.knobs:
            if knob.key in parameters:
                with contextlib.suppress(TypeError, ValueError):
                    found[knob.key] = knob.place(parameters[knob.key])
        return found


def read_space(section: Mapping[str, Searched]) -> Space:
    """Return the space of a pipeline's section ``search.space``.

    Raises:
        ValueError: a knob depends on one that is not in the space, or on itself in a circle.
    """
    knobs = {
        key: Knob(
            key=key,
            scale=None if one.choices else one.scale,
            low=0.0 if one.low is None else one.low,
            high=1.0 if one.high is None else one.high,
            choices=one.choices,
            tier=one.tier,
            when=one.when,
        )
        for key, one in section.items()
    }
    for knob in knobs.values():
        for other in knob.when:
            if other not in knobs:
                raise ValueError(
                    f"{knob.key} depends on {other}, which is not in the space; add it, or drop "
                    "the condition"
                )
    return Space(knobs=tuple(_ordered(knobs)))


def significant(value: float, digits: int = DIGITS) -> float:
    """Return ``value`` rounded to so many significant digits."""
    return float(f"{value:.{digits}g}")


def told(value: Any) -> str:
    """Return a value as people read it: a part without options by its name, numbers short."""
    if isinstance(value, Mapping) and set(value) == {"name"}:
        return str(value["name"])
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _ordered(knobs: Mapping[str, Knob]) -> Sequence[Knob]:
    placed: dict[str, Knob] = {}
    while len(placed) < len(knobs):
        ripe = [k for k in knobs.values() if k.key not in placed and k.when.keys() <= placed.keys()]
        if not ripe:
            circle = ", ".join(key for key in knobs if key not in placed)
            raise ValueError(f"the conditions of {circle} go round in a circle; drop one")
        placed |= {knob.key: knob for knob in ripe}
    return list(placed.values())


def _holds(knob: Knob, found: Mapping[str, Any]) -> bool:
    return all(other in found and found[other] == value for other, value in knob.when.items())
