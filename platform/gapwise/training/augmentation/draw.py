"""What an example draws: functions of (seed, epoch, example), the same in any batch and order."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gapwise.training.draws import hashed, key

_DIGITS = 24
"""Binary digits that a float32 holds exactly."""


@dataclass(frozen=True)
class Draw:
    """The draws of some examples in one epoch; every quantity has a name and draws of its own.

    Attributes:
        positions: (n,) int64 positions of the examples in the dataset.
        seed, epoch: the run's seed, and the epoch from 1.
    """

    positions: Tensor
    seed: int
    epoch: int

    def coin(self, name: str) -> Tensor:
        """Return (n,) int64, 0 or 1."""
        return hashed(self.positions, self._key(name)) & 1

    def below(self, name: str, count: int) -> Tensor:
        """Return (n,) int64, equally likely in [0, count)."""
        return (hashed(self.positions, self._key(name)) * count) >> 32

    def share(self, name: str) -> Tensor:
        """Return (n,) float32, uniform in [0, 1)."""
        return _unit(hashed(self.positions, self._key(name)))

    def signed(self, name: str) -> Tensor:
        """Return (n,) float32, uniform in [-1, 1)."""
        return 2 * self.share(name) - 1

    def signed_rows(self, name: str, width: int) -> Tensor:
        """Return (n, width) float32, uniform in [-1, 1)."""
        return 2 * _unit(self._rows(name, width)) - 1

    def normal_rows(self, name: str, width: int) -> Tensor:
        """Return (n, width) float32 of the standard normal distribution, by Box and Muller."""
        # 1 − u is in (0, 1], whose logarithm is finite.
        length = torch.sqrt(-2 * torch.log(1 - _unit(self._rows(f"{name} length", width))))
        return length * torch.cos(2 * math.pi * _unit(self._rows(f"{name} angle", width)))

    def _rows(self, name: str, width: int) -> Tensor:
        columns = torch.arange(width, device=self.positions.device)
        return hashed(self.positions[:, None] * width + columns, self._key(name))

    def _key(self, name: str) -> int:
        return key(name, self.seed, self.epoch)


def _unit(bits: Tensor) -> Tensor:
    return (bits >> (32 - _DIGITS)).to(torch.float32) * 2.0**-_DIGITS
