"""What a training learns from, batch by batch: in which order, and changed how."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import torch

from gapwise.data.prepared import Prepared
from gapwise.training.augmentation.augment import make_augmentation
from gapwise.training.augmentation.follow import followed
from gapwise.training.feeds import Batch, Feed, MemoryFeed, Positions, SharedFeed, open_feed
from gapwise.training.order import epoch_batches
from gapwise.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Supply:
    """Batches of a training.

    Attributes:
        feed: gives batches of raw examples.
        order: gives an epoch's batches, by its number (from 1).
        change: augments a batch, by the epoch's number.
    """

    feed: Feed
    order: Callable[[int], list[Positions]]
    change: Callable[[Batch, int], Batch]

    def shared(self) -> "Supply":
        """Return one for several trainings that ask for the same in turn: each is made once."""
        feed = SharedFeed(self.feed) if isinstance(self.feed, MemoryFeed) else self.feed
        return replace(
            self,
            feed=feed,
            order=lru_cache(maxsize=1)(self.order),
            change=lru_cache(maxsize=1)(self.change),
        )


def open_supply(recipe: Recipe, prepared: Prepared, seed: int, device: torch.device) -> Supply:
    """Return the batches of a training on ``device``; they are a function of its seed."""
    augment = make_augmentation(recipe.augmentation, prepared, seed, device)

    def change(batch: Batch, epoch: int) -> Batch:
        inputs = augment(batch.inputs, batch.positions, epoch)
        targets = followed(augment, prepared.labels, batch.targets, batch.positions, epoch)
        return Batch(inputs, targets, batch.weights, batch.positions)

    return Supply(
        feed=open_feed(prepared, device),
        order=partial(epoch_batches, prepared.indices("train"), recipe.batch_size, seed),
        change=change,
    )
