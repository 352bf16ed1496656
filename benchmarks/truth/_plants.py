"""Causes planted into real trainings, and the truth of each on examples that nobody judged by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth._size_curves import DATASETS
from benchmarks.truth._trainings import example_set, trained
from gapwise.diagnostics.parts import taken
from gapwise.records import Predictions

Generator = np.random.Generator
Array = NDArray[Any]

PICTURES = ("digits", "usps", "mnist", "fashion-mnist")
JUDGED = {"train_dev": 800, "dev": 800, "test": 800}
"""Examples of each split that the diagnosis sees; the rest tells the truth."""
DELTA = {"adult": 0.01}
"""What counts as a high gap: 1 point on Adult, 2 on pictures."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What one case trains, and on what.

    Attributes:
        dataset: its name.
        network: its options as YAML.
        train: training examples.
        epochs: of training.
        change: further keys of the pipeline.
        human: error of people; None stands for the network's own train error, so no bias.
        shift: changes the inputs of dev and test.
        labels: changes labels: (labels, split, generator) → labels.
        copied: share of dev that is copied into train.
    """

    dataset: str
    network: str
    train: int
    epochs: int = 12
    change: Mapping[str, Any] = field(default_factory=dict)
    human: float | None = None
    shift: Callable[[Array, Generator], Array] | None = None
    labels: Callable[[Array, Array, Generator], Array] | None = None
    copied: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A trained case: predictions of whole pools, and what was planted."""

    setting: Setting
    human: float
    pools: Mapping[str, Predictions]
    wrong_labels: Mapping[str, NDArray[np.bool_]]

    @property
    def delta(self) -> float:
        """What counts as high here."""
        return DELTA.get(self.setting.dataset, 0.02)

    def rungs(self) -> dict[str, float]:
        """Return the true error of every rung but human's and train's from the whole pools."""
        return {split: float(pool.error.mean()) for split, pool in self.pools.items()}

    def drawn(self, generator: Generator) -> dict[str, Predictions]:
        """Return train, and as many examples of each other pool as a diagnosis sees."""
        found = {}
        for split, pool in self.pools.items():
            n = min(JUDGED.get(split, len(pool)), len(pool))
            rows = np.sort(generator.permutation(len(pool))[:n])
            found[split] = taken(pool, rows)
        return found


@cache
def rows(dataset: str, data: Path) -> tuple[Array, Array]:
    """Return inputs, as pictures (n, 1, height, width) of bytes where they are, and labels."""
    inputs, labels = DATASETS[dataset][0](data)
    if dataset not in PICTURES:
        return inputs, labels
    side = int(np.sqrt(inputs.shape[1]))
    scaled = 255 * (inputs / inputs.max())
    return scaled.round().astype(np.uint8).reshape(-1, 1, side, side), labels


def plant(setting: Setting, data: Path, generator: Generator) -> Planted:
    """Train one case: a third of the held-out examples is a pool for each of the other splits."""
    inputs, labels = rows(setting.dataset, data)
    train = min(setting.train, len(labels) // 2)
    rest = min(len(labels) - train, 9_000)
    order = generator.permutation(len(labels))[: train + rest]
    inputs, labels = inputs[order], labels[order]
    split = np.full(train + rest, "train", "U9")
    for number, name in enumerate(JUDGED):
        split[train + number * rest // 3 : train + (number + 1) * rest // 3] = name
    target = np.isin(split, ("dev", "test"))
    if setting.shift is not None:
        inputs = inputs.copy()
        inputs[target] = setting.shift(inputs[target], generator)
    if setting.copied:
        inputs, labels, split = _copied(setting.copied, inputs, labels, split, generator)
    given = labels if setting.labels is None else setting.labels(labels, split, generator)
    examples = example_set(setting.dataset, inputs, given, classes=int(labels.max()) + 1)
    change = {"network": setting.network, "training.epochs": setting.epochs, **setting.change}
    pools = trained(examples, split, change, int(generator.integers(1 << 30)))
    human = setting.human
    return Planted(
        setting=setting,
        human=float(pools["train"].error.mean()) if human is None else human,
        pools=pools,
        wrong_labels={name: (given != labels)[split == name] for name in pools},
    )


def _copied(
    share: float, inputs: Array, labels: Array, split: Array, generator: Generator
) -> tuple[Array, Array, Array]:
    """Copy some of dev into train: half as they are, half with other brightness by 2 of 255."""
    dev = np.flatnonzero(split == "dev")
    which = generator.permutation(dev)[: int(share * len(dev))]
    copies = inputs[which].copy()
    if copies.dtype == np.uint8:
        near = copies[::2].astype(int) + generator.integers(-2, 3, copies[::2].shape)
        copies[::2] = near.clip(0, 255)
    return (
        np.concatenate([inputs, copies]),
        np.concatenate([labels, labels[which]]),
        np.concatenate([split, np.full(len(which), "train")]),
    )


def uniform(share: float, *splits: str) -> Callable[[Array, Array, Generator], Array]:
    """Return a planter of labels that are wrong at random."""

    def noisy(labels: Array, split: Array, generator: Generator) -> Array:
        k = int(labels.max()) + 1
        wrong = np.isin(split, splits) & (generator.random(len(labels)) < share)
        return np.where(wrong, (labels + generator.integers(1, k, len(labels))) % k, labels)

    return noisy


def by_class(share: float, *splits: str) -> Callable[[Array, Array, Generator], Array]:
    """Return a planter of labels that are wrong one way: each class is called one other class."""

    def noisy(labels: Array, split: Array, generator: Generator) -> Array:
        k = int(labels.max()) + 1
        called = (np.arange(k) + generator.integers(1, k)) % k
        wrong = np.isin(split, splits) & (generator.random(len(labels)) < share)
        return np.where(wrong, called[labels], labels)

    return noisy


def dimmed(inputs: Array, generator: Generator) -> Array:
    """Return pictures of little contrast with grain, as a poor camera takes them."""
    strength, grain = generator.uniform(0.35, 0.8), generator.uniform(10, 50)
    found = 255 * (1 - strength) / 2 + strength * inputs + generator.normal(0, grain, inputs.shape)
    return found.clip(0, 255).astype(np.uint8)


def moved(inputs: Array, generator: Generator) -> Array:
    """Return pictures moved by a pixel or two, the same way."""
    across, down = generator.integers(1, 3, 2)
    return np.roll(inputs, (int(down), int(across)), axis=(2, 3))


def drifted(inputs: Array, generator: Generator) -> Array:
    """Return rows some of whose columns are measured in another unit."""
    columns = generator.permutation(inputs.shape[1])[: inputs.shape[1] // 3]
    found = inputs.copy()
    found[:, columns] = found[:, columns] * generator.uniform(0.3, 0.6)
    return found
