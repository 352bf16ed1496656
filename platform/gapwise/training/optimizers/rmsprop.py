"""RMSprop (notes 3.11; Hinton's lecture 6e of 2012)."""

from torch.optim import Optimizer, RMSprop

from gapwise.training.optimizers.base import Groups, checked_decay

__all__ = ["rmsprop"]


def rmsprop(
    groups: Groups,
    fused: bool,
    *,
    lr: float = 1e-3,
    beta2: float = 0.9,
    epsilon: float = 1e-8,
) -> Optimizer:
    """Return RMSprop: S ← β₂S + (1 − β₂)dW², W ← W − lr·dW/(√S + ε).

    S begins at 0 and is not corrected, as in the notes: the first steps are longer.

    Args:
        groups: parameters, by whether L2 acts on them.
        fused: not used: torch has no fused RMSprop, so all tensors are updated at once.
        lr: learning rate α.
        beta2: β₂, decay of the mean of squared gradients.
        epsilon: ε, keeps the division finite.
    """
    return RMSprop(groups, lr=lr, alpha=checked_decay("beta2", beta2), eps=epsilon, foreach=True)
