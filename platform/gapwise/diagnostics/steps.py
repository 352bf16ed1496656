"""A system of several steps, and what is known of each: plain values of ``diagnostics.ceiling``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Scheme = Literal["cumulative", "alone"]
Errors = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class System:
    """End errors of a system of steps on n examples, as it is and with steps made perfect.

    Attributes:
        steps: names, in the order that the system takes them.
        error: (n,) end errors in [0, 1].
        perfect: steps made perfect → (n,) end errors.
        right: step → (n,) bool, whether its own output was right.
        weight: (n,) or None for 1.
        group: (n,) keys of what is independent, or None where examples are.
    """

    steps: tuple[str, ...]
    error: Errors
    perfect: Mapping[tuple[str, ...], Errors] = field(default_factory=dict)
    right: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    weight: NDArray[np.float64] | None = None
    group: NDArray[np.generic] | None = None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The end error with some steps perfect; fractions of 1, 95 % interval."""

    perfect: tuple[str, ...]
    error: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What one step can gain.

    Attributes:
        step: which step.
        after: the steps that are perfect already.
        gain, low, high: what the end error falls by, a fraction of 1; negative where it rises.
        p_value: of no gain.
        implied: nobody measured it: with every step perfect nothing is taken to be left.
    """

    step: str
    after: tuple[str, ...]
    gain: float
    low: float | None
    high: float | None
    p_value: float
    implied: bool = False


@dataclass(frozen=True, kw_only=True)
class Blame:
    """End errors whose first wrong step is this one; ``share`` of all end errors.

    Attributes:
        step: which step; ``no step`` where every step was right.
        count: examples with an end error.
        points, low, high: the end error on them, a fraction of 1 over all examples.
        forgiven: examples where this step is the first that was wrong and the end right.
    """

    step: str
    count: int
    share: float
    points: float
    low: float | None
    high: float | None
    forgiven: int


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """The document of ``ceiling --json``.

    Attributes:
        scheme: whether each step is perfect on top of those before it, or alone; None without.
        settings: the end error as it is, then with steps perfect.
        gains, blame: by step, in the system's order.
        first: the step to work on first, ``none`` where nothing is wrong, or ``undecided``.
        says: sentences, what matters most first.
    """

    steps: tuple[str, ...]
    n: int
    scheme: Scheme | None
    settings: tuple[Setting, ...]
    gains: tuple[Gain, ...]
    blame: tuple[Blame, ...]
    first: str
    decided: bool
    says: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the document."""
        return asdict(self)
