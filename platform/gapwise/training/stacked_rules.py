"""The steps of torch's optimizers for several models at once, each with knobs of its own.

Weights are rows: (models, weights). A knob is a column, (models, 1). What an optimizer remembers
has the names that torch gives it, so that a model can be saved and go on alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.optim import SGD, Adam, Optimizer, RMSprop

from gapwise.training.optimizers.momentum import Averaged

Memory = Mapping[str, Tensor]
"""What is remembered of each weight, (models, weights), by name. ``step`` counts the steps:
(models, tensors), the same in a row, since torch counts at each tensor."""

Knobs = Mapping[str, Tensor]


@dataclass(frozen=True)
class Rule:
    """How one kind of optimizer follows a gradient.

    Attributes:
        follow: changes weights and memory in place: ``(weights, gradient, memory, knobs)``.
        knobs: reads the knobs of a model's optimizer from its first group.
        memory: names of what is remembered of each weight.
        counts: whether the steps are counted too, as ``step``.
    """

    follow: Callable[[Tensor, Tensor, Memory, Knobs], None]
    knobs: Callable[[Mapping[str, Any]], dict[str, float]]
    memory: tuple[str, ...]
    counts: bool = False


def rule_of(optimizer: Optimizer) -> Rule | None:
    """Return the rule of an optimizer's kind; None where there is none."""
    return _RULES.get(type(optimizer))


def _descend(weights: Tensor, gradient: Tensor, memory: Memory, knobs: Knobs) -> None:
    """Take a step of gradient descent, with momentum where there is some (notes 3.8, 3.10)."""
    velocity = memory["momentum_buffer"]
    velocity.mul_(knobs["momentum"]).add_(gradient)
    # Nesterov's looks ahead along the velocity; without momentum, velocity and gradient are one.
    ahead = gradient + knobs["momentum"] * velocity
    weights.sub_(knobs["lr"] * velocity.lerp(ahead, knobs["nesterov"]))


def _descend_averaged(weights: Tensor, gradient: Tensor, memory: Memory, knobs: Knobs) -> None:
    """Take a step along the notes' velocity, an average (3.10)."""
    scaled = {**knobs, "lr": knobs["lr"] * (1 - knobs["momentum"])}
    _descend(weights, gradient, memory, scaled)


def _rmsprop(weights: Tensor, gradient: Tensor, memory: Memory, knobs: Knobs) -> None:
    """Take a step of RMSprop (notes 3.11)."""
    memory["step"].add_(1)
    square = memory["square_avg"]
    square.mul_(knobs["alpha"]).add_(gradient.square() * (1 - knobs["alpha"]))
    weights.sub_(knobs["lr"] * gradient / (square.sqrt() + knobs["eps"]))


def _adam(weights: Tensor, gradient: Tensor, memory: Memory, knobs: Knobs) -> None:
    """Take a step of Adam (notes 3.12)."""
    step = memory["step"].add_(1)[:, :1]
    mean, square = memory["exp_avg"], memory["exp_avg_sq"]
    mean.lerp_(gradient, 1 - knobs["beta1"])
    square.mul_(knobs["beta2"]).add_(gradient.square() * (1 - knobs["beta2"]))
    deviation = square.sqrt().div_((1 - knobs["beta2"] ** step).sqrt()).add_(knobs["eps"])
    weights.sub_(knobs["lr"] / (1 - knobs["beta1"] ** step) * mean / deviation)


def _momentum(group: Mapping[str, Any]) -> dict[str, float]:
    return {"momentum": group["momentum"], "nesterov": float(group["nesterov"])}


def _decays(group: Mapping[str, Any]) -> dict[str, float]:
    beta1, beta2 = group["betas"]
    return {"beta1": beta1, "beta2": beta2, "eps": group["eps"]}


_RULES: dict[type[Optimizer], Rule] = {
    SGD: Rule(_descend, _momentum, ("momentum_buffer",)),
    Averaged: Rule(_descend_averaged, _momentum, ("momentum_buffer",)),
    RMSprop: Rule(
        _rmsprop,
        lambda group: {"alpha": group["alpha"], "eps": group["eps"]},
        ("square_avg",),
        counts=True,
    ),
    Adam: Rule(_adam, _decays, ("exp_avg", "exp_avg_sq"), counts=True),
}
