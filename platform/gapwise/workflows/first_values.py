"""Where to start: split sizes by how much data there is, a network and epochs that fit it.

Sizes follow the notes (4.5): 60/20/20 for small sets, 98/1/1 for large ones; where the target is a
source of its own, half of it judges and half joins the training distribution (4.13).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gapwise.statistics.size import starting_points
from gapwise.workflows.guess import Guess

ENOUGH = 10_000
"""Examples beyond which a judging split gains little: ±1 point at most."""


@dataclass(frozen=True, kw_only=True)
class FirstValues:
    """Starting values of a pipeline, each with the reason that its comment gives."""

    target: str | None
    dev: float
    test: float
    train_dev: float
    why_sizes: str
    network: Mapping[str, Any]
    epochs: int
    batch_size: int


def first_values(guess: Guess) -> FirstValues:
    """Return the values that a new pipeline starts with."""
    target = _target(guess)
    pool = guess.count if target is None else guess.sources[target]
    share, why = _share(pool, apart=target is not None)
    training = guess.count - 2 * share * pool
    return FirstValues(
        target=target,
        dev=share,
        test=share,
        train_dev=max(0.01, min(0.1, round(ENOUGH / max(1.0, training), 2))),
        why_sizes=why,
        network=_network(guess.shape),
        epochs=int(min(30, max(5, 300_000 // max(1.0, training)))),
        batch_size=32 if training < 2_000 else 128,
    )


def _target(guess: Guess) -> str | None:
    """Return the rarest source: what one cares for is usually what one has least of."""
    if len(guess.sources) < 2:
        return None
    return min(guess.sources, key=lambda source: (guess.sources[source], source))


def _share(pool: int, apart: bool) -> tuple[float, str]:
    if apart:
        share = min(0.25, max(0.01, round(ENOUGH / pool, 2)))
        return share, f"a quarter each of the target's {pool:,}, at most {ENOUGH:,} (notes 4.13)"
    fitting = next(point for point in starting_points(pool) if point.recommended)
    share = round(fitting.dev / pool, 2)
    return share, f"{fitting.name} for {pool:,} examples (notes 4.5)"


def _network(shape: tuple[int, ...]) -> dict[str, Any]:
    if len(shape) != 3:
        return {"name": "multilayer-perceptron", "hidden": [64, 64]}
    side = min(shape[1:])
    if side < 4:
        return {"name": "multilayer-perceptron", "hidden": [128]}
    # Each block halves the picture; about 4×4 is left for the dense layers.
    blocks = max(1, min(4, (side // 4).bit_length() - 1 + (side < 16)))
    return {"name": "small-cnn", "channels": [32, 64, 64, 64][:blocks]}
