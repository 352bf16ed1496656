"""Where to start: split sizes by how much data there is, a network and epochs that fit it.

Sizes follow the notes (4.5): 60/20/20 for small sets, 98/1/1 for large ones; where the target is a
source of its own, half of it judges and half joins the training distribution (4.13).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gapwise.workflows.guess import Guess

ENOUGH = 10_000
"""Examples beyond which dev or test gain little: ±1 point at most."""

MANY = 1_000_000


@dataclass(frozen=True, kw_only=True)
class StartingPoint:
    """Starting values of a pipeline, each with the reason that its comment gives."""

    target: str | None
    dev: float
    test: float
    train_dev: float
    why_sizes: str
    network: Mapping[str, Any]
    epochs: int
    batch_size: int


def starting_point(guess: Guess) -> StartingPoint:
    """Return the values that a new pipeline starts with."""
    target = _target(guess)
    pool = guess.count if target is None else guess.sources[target]
    share, why = _share(pool, apart=target is not None)
    training = guess.count - 2 * share * pool
    return StartingPoint(
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
        share = min(0.25, _rounded(ENOUGH / pool))
        return share, f"a quarter each of the target's {pool:,}, at most {ENOUGH:,} (notes 4.13)"
    if pool >= MANY:
        return 0.01, f"98/1/1 for {pool:,} examples (notes 4.5)"
    if pool <= ENOUGH / 0.2:
        return 0.2, f"60/20/20 for {pool:,} examples (notes 4.5)"
    return _rounded(ENOUGH / pool), f"about {ENOUGH:,} of {pool:,}: between 60/20/20 and 98/1/1"


def _rounded(share: float) -> float:
    return max(0.01, round(share, 2))


def _network(shape: tuple[int, ...]) -> dict[str, Any]:
    if len(shape) != 3:
        return {"name": "multilayer-perceptron", "hidden": [64, 64]}
    side = min(shape[1:])
    if side < 4:
        return {"name": "multilayer-perceptron", "hidden": [128]}
    # Each block halves the picture; about 4×4 is left for the dense layers.
    blocks = max(1, min(4, (side // 4).bit_length() - 1 + (side < 16)))
    return {"name": "small-cnn", "channels": [32, 64, 64, 64][:blocks]}
