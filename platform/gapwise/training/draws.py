"""Draws that are functions of their place, not of what was drawn before.

A resumed training needs no generator's state: the order of an epoch is a function of (seed, epoch),
augmentation of (seed, epoch, example), and torch's own generators (dropout) are seeded anew at each
step by (seed, epoch, step).
"""

from hashlib import blake2b
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Integers = TypeVar("Integers", Tensor, NDArray[np.int64])

_MASK = 0xFFFFFFFF


def key(*parts: int | str) -> int:
    """Return 63 bits that depend on every part."""
    digest = blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def hashed(counters: Integers, of: int) -> Integers:
    """Return 32 well-mixed bits for each counter, as int64, the same on every device.

    The mixing is MurmurHash3's finalizer, once with each half of the key ``of``.
    """
    return _mixed(_mixed(counters ^ (of & _MASK)) ^ (counters >> 32) ^ (of >> 32))


def shuffled(positions: NDArray[np.int64], of: int) -> NDArray[np.int64]:
    """Return ``positions`` in an order that depends on the key ``of`` and on their count alone."""
    counters = np.arange(len(positions), dtype=np.int64)
    ranks = (hashed(counters, of) << 31) ^ hashed(counters, key("low", of))
    return positions[np.argsort(ranks, kind="stable")]


def seed_generators(value: int, device: torch.device) -> None:
    """Seed torch's generators of the CPU and of ``device``."""
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        torch.cuda.manual_seed(value)
    elif device.type == "mps":
        torch.mps.manual_seed(value)


def _mixed(bits: Integers) -> Integers:
    # Products overflow int64; their low 32 bits, the only ones kept, are right all the same.
    bits = bits & _MASK
    bits = ((bits ^ (bits >> 16)) * 0x85EBCA6B) & _MASK
    bits = ((bits ^ (bits >> 13)) * 0xC2B2AE35) & _MASK
    return bits ^ (bits >> 16)
