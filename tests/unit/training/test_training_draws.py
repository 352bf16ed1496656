"""Order and augmentation are functions of their place."""

import numpy as np
import pytest
import torch

from gapwise.training.augmentation.augment import Augmentation
from gapwise.training.draws import hashed, key, shuffled
from gapwise.training.order import cut, epoch_batches

TRAIN = np.arange(1000, 2003)
IMAGES = torch.randint(0, 256, (64, 3, 7, 5), dtype=torch.uint8)
POSITIONS = torch.arange(64) + 2**33


def test_an_epoch_has_every_example_once() -> None:
    batches = epoch_batches(TRAIN, 50, 0, 1)
    assert sorted(np.concatenate(batches)) == TRAIN.tolist()
    assert [len(b) for b in batches] == [50] * 20 + [3]


def test_order_is_a_function_of_seed_and_epoch() -> None:
    orders = [
        tuple(np.concatenate(epoch_batches(TRAIN, 50, seed, epoch)))
        for seed in range(3)
        for epoch in range(3)
    ]
    assert len(set(orders)) == 9
    assert orders[4] == tuple(np.concatenate(epoch_batches(TRAIN, 7, 1, 1)))


def test_order_is_pinned() -> None:
    # Golden: another order would break the resume of runs that are under way.
    assert shuffled(np.arange(8), key("order", 0, 1)).tolist() == [5, 7, 6, 3, 1, 2, 0, 4]


def test_one_left_over_joins_the_last_batch() -> None:
    assert [len(b) for b in cut(np.arange(61), 30)] == [30, 31]
    assert [len(b) for b in cut(np.arange(62), 30)] == [30, 30, 2]
    assert [len(b) for b in cut(np.arange(1), 30)] == [1]
    assert cut(np.arange(0), 30) == []


def test_hash_is_the_same_in_numpy_and_torch() -> None:
    counters = np.array([0, 1, 2**31, 2**32 + 5, 2**62], np.int64)
    of = key("any", 3)
    assert hashed(counters, of).tolist() == hashed(torch.from_numpy(counters), of).tolist()
    assert (hashed(counters, of) >> 32 == 0).all()


def test_hash_bits_are_fair_and_apart() -> None:
    bits = hashed(np.arange(100_000), key("any", 1))
    other = hashed(np.arange(100_000), key("any", 2))
    for shift in range(32):
        assert abs(((bits >> shift) & 1).mean() - 0.5) < 0.01
        assert abs((((bits ^ other) >> shift) & 1).mean() - 0.5) < 0.01


@pytest.mark.parametrize("settings", [(True, 0), (False, 2), (True, 3)])
def test_augmentation_does_not_depend_on_the_batch(settings: tuple[bool, int]) -> None:
    augment = Augmentation(mirror=settings[0], shift=settings[1], seed=5)
    whole = augment(IMAGES, POSITIONS, 2)
    parts = [augment(IMAGES[i : i + 9], POSITIONS[i : i + 9], 2) for i in range(0, 64, 9)]
    assert torch.equal(whole, torch.cat(parts))
    assert whole.shape == IMAGES.shape
    assert whole.dtype == torch.uint8
    assert not torch.equal(whole, augment(IMAGES, POSITIONS, 3))
    other = Augmentation(mirror=settings[0], shift=settings[1], seed=6)
    assert not torch.equal(whole, other(IMAGES, POSITIONS, 2))


def test_mirror_turns_half_of_the_images() -> None:
    images = torch.arange(10, dtype=torch.uint8).expand(10_000, 1, 2, 10)
    turned = Augmentation(mirror=True, shift=0, seed=0)(images, torch.arange(10_000), 1)
    is_turned = turned[:, 0, 0, 0] == 9
    assert abs(is_turned.float().mean().item() - 0.5) < 0.02
    assert torch.equal(turned[is_turned], images[is_turned].flip(3))
    assert torch.equal(turned[~is_turned], images[~is_turned])


def test_shift_reaches_every_offset_equally_and_brings_in_zeros() -> None:
    images = torch.zeros(20_000, 1, 5, 5, dtype=torch.uint8)
    images[:, 0, 2, 2] = 7
    moved = Augmentation(mirror=False, shift=2, seed=0)(images, torch.arange(20_000), 1)
    assert (moved.flatten(1).sum(1) == 7).all()
    share = (moved > 0).float().mean(0)[0]
    assert (share - 1 / 25).abs().max() < 0.01


def test_no_augmentation_changes_nothing() -> None:
    assert Augmentation(mirror=False, shift=0, seed=0)(IMAGES, POSITIONS, 1) is IMAGES
