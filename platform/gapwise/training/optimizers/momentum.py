"""Gradient descent with momentum (notes 3.10)."""

from typing import Any, Literal

from torch.optim import SGD, Optimizer

from gapwise.training.optimizers.base import Groups, checked_decay, kernels

__all__ = ["momentum"]


def momentum(
    groups: Groups,
    fused: bool,
    *,
    lr: float = 0.1,
    beta: float = 0.9,
    velocity: Literal["sum", "average"] = "sum",
    nesterov: bool = False,
) -> Optimizer:
    """Return gradient descent along a velocity v that remembers past gradients.

    ``sum`` is v ← βv + dW; ``average`` is the notes' v ← βv + (1 − β)dW, an exponentially weighted
    average (3.9). Then W ← W − lr·v. Both take the same steps when the rate of ``average`` is
    1/(1 − β) times that of ``sum``: tenfold for β = 0.9.

    Args:
        groups: parameters, by whether L2 acts on them.
        fused: one kernel for all parameters.
        lr: learning rate α.
        beta: β, decay of the velocity.
        velocity: ``sum`` of the past gradients, or their ``average`` as in the notes.
        nesterov: look ahead along the velocity (Nesterov 1983).
    """
    checked_decay("beta", beta)
    kind = SGD if velocity == "sum" else Averaged
    return kind(groups, lr=lr, momentum=beta, nesterov=nesterov, **kernels(fused))


class Averaged(SGD):
    """The notes' velocity. It is 1 − β times the sum, so the rate is scaled in its place.

    torch's ``dampening`` is not that: it leaves the first gradient whole.
    """

    def step(self, closure: Any = None) -> Any:
        rates = [group["lr"] for group in self.param_groups]
        for group, rate in zip(self.param_groups, rates, strict=True):
            group["lr"] = rate * (1 - group["momentum"])
        try:
            return super().step(closure)
        finally:
            for group, rate in zip(self.param_groups, rates, strict=True):
                group["lr"] = rate
