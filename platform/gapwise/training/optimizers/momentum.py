"""Gradient descent with momentum (notes 3.10)."""

from torch.optim import SGD, Optimizer

from gapwise.training.optimizers.base import Groups, kernels

__all__ = ["momentum"]


def momentum(
    groups: Groups,
    fused: bool,
    *,
    lr: float = 0.1,
    beta: float = 0.9,
    nesterov: bool = False,
) -> Optimizer:
    """Return gradient descent with v ← βv + dW, W ← W − lr·v.

    The notes scale dW by 1 − β: their learning rate is this one divided by 1 − β.

    Args:
        groups: parameters, by whether L2 acts on them.
        fused: one kernel for all parameters.
        lr: learning rate.
        beta: β, decay of the velocity.
        nesterov: look ahead along the velocity (Nesterov 1983).
    """
    return SGD(groups, lr=lr, momentum=beta, nesterov=nesterov, **kernels(fused))
