"""Outputs whose probabilities are the mean of several networks' or several crops'."""

from math import log

import torch
from torch import Tensor
from torch.nn import functional as F


def averaged_softmax(views: Tensor) -> Tensor:
    """Return (n, k) whose softmax is the mean of the softmaxes of ``views``: (views, n, k)."""
    return torch.logsumexp(F.log_softmax(views, 2), 0) - log(len(views))


def averaged_sigmoid(views: Tensor) -> Tensor:
    """Return (n, k) whose sigmoid is the mean of the sigmoids of ``views``: (views, n, k)."""
    return torch.logsumexp(F.logsigmoid(views), 0) - torch.logsumexp(F.logsigmoid(-views), 0)
