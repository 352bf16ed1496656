"""Mini-batch gradient descent (notes 3.8)."""

from torch.optim import SGD, Optimizer

from gapwise.training.optimizers.base import Groups, kernels

__all__ = ["gradient_descent"]


def gradient_descent(groups: Groups, fused: bool, *, lr: float = 0.1) -> Optimizer:
    """Return plain gradient descent: W ← W − lr·dW.

    Args:
        groups: parameters, by whether L2 acts on them.
        fused: one kernel for all parameters.
        lr: learning rate.
    """
    return SGD(groups, lr=lr, **kernels(fused))
