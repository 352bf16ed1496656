"""Adam (notes 3.12; Kingma and Ba 2015)."""

from torch.optim import Adam, Optimizer

from gapwise.training.optimizers.base import Groups, kernels

__all__ = ["adam"]


def adam(
    groups: Groups,
    fused: bool,
    *,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> Optimizer:
    """Return Adam; L2 is part of the gradient, as in the notes.

    Args:
        groups: parameters, by whether L2 acts on them.
        fused: one kernel for all parameters.
        lr: learning rate α.
        beta1: β₁, decay of the mean of gradients.
        beta2: β₂, decay of the mean of squared gradients.
        epsilon: ε, keeps the division finite.
    """
    return Adam(groups, lr=lr, betas=(beta1, beta2), eps=epsilon, **kernels(fused))
