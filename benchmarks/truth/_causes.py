"""The causes that benchmarks/truth/planted.py plants; a star marks those kept aside."""

from collections.abc import Callable, Mapping

from benchmarks.truth import _plants as plants
from benchmarks.truth._plants import PICTURES, Generator, Setting

ALL = (*PICTURES, "adult")


def perceptron(generator: Generator, low: int = 48, high: int = 128) -> str:
    """Return a multilayer perceptron of some width."""
    width = int(generator.integers(low, high + 1))
    return f"{{name: multilayer-perceptron, hidden: [{width}]}}"


def small_cnn(generator: Generator) -> str:
    """Return a small convolutional network (aside)."""
    width = int(generator.integers(4, 9))
    return f"{{name: small-cnn, channels: [{width}, {2 * width}]}}"


def too_small(g: Generator, dataset: str) -> Setting:
    """A handful of hidden units."""
    return Setting(dataset=dataset, network=perceptron(g, 2, 5), train=4_000, human=0.02)


def too_few_epochs(g: Generator, dataset: str) -> Setting:
    """One epoch of plain gradient descent at a small rate."""
    human = {"adult": 0.13, "fashion-mnist": 0.06}.get(dataset, 0.02)
    rate = g.uniform(0.005, 0.03)
    change = {"training.optimizer": f"{{name: gradient-descent, lr: {rate:g}}}"}
    return Setting(
        dataset=dataset, network=perceptron(g), train=3_000, epochs=1, change=change, human=human
    )


def too_little_data(g: Generator, dataset: str) -> Setting:
    """60 to 400 training examples."""
    n = int(g.integers(60, 400))
    return Setting(dataset=dataset, network=perceptron(g), train=n, epochs=40)


def shifted(g: Generator, dataset: str) -> Setting:
    """Dev and test look otherwise than train."""
    shift = plants.drifted if dataset == "adult" else (plants.dimmed, plants.moved)[g.integers(2)]
    return Setting(dataset=dataset, network=perceptron(g), train=6_000, shift=shift)


def shifted_cnn(g: Generator, dataset: str) -> Setting:
    """As ``shifted``, of a network aside."""
    shift = (plants.dimmed, plants.moved)[g.integers(2)]
    return Setting(dataset=dataset, network=small_cnn(g), train=4_000, epochs=6, shift=shift)


def noise_in_train(g: Generator, dataset: str) -> Setting:
    """Labels of train and train-dev that are wrong at random."""
    labels = plants.uniform(g.uniform(0.08, 0.3), "train", "train_dev")
    return Setting(dataset=dataset, network=perceptron(g), train=4_000, labels=labels)


def noise_in_dev(g: Generator, dataset: str) -> Setting:
    """Labels of dev and test that are wrong at random."""
    labels = plants.uniform(g.uniform(0.05, 0.25), "dev", "test")
    return Setting(dataset=dataset, network=perceptron(g), train=4_000, labels=labels)


def one_way_noise_in_dev(g: Generator, dataset: str) -> Setting:
    """Labels of dev and test that are wrong one way (aside)."""
    labels = plants.by_class(g.uniform(0.08, 0.25), "dev", "test")
    return Setting(dataset=dataset, network=perceptron(g), train=4_000, labels=labels)


def little_data_cnn(g: Generator, dataset: str) -> Setting:
    """As ``too_little_data``, of a network aside."""
    n = int(g.integers(80, 400))
    return Setting(dataset=dataset, network=small_cnn(g), train=n, epochs=40)


def leak(g: Generator, dataset: str) -> Setting:
    """A part of dev stands in train too, equal or nearly."""
    return Setting(dataset=dataset, network=perceptron(g), train=3_000, copied=g.uniform(0.02, 0.4))


def healthy(g: Generator, dataset: str) -> Setting:
    """Much data for what the network can hold: gaps stay below δ, as the truth then shows."""
    if dataset == "adult":
        return Setting(dataset=dataset, network=perceptron(g, 4, 16), train=12_000, epochs=4)
    return Setting(
        dataset=dataset,
        network=(perceptron(g, 16, 48), "logistic-regression")[g.integers(2)],
        train=20_000,
        epochs=3,
        change={"training.l2": f"{g.choice([1e-4, 1e-3, 3e-3]):g}"},
    )


CAUSES: Mapping[str, tuple[Callable[[Generator, str], Setting], tuple[str, ...]]] = {
    "too small a network": (too_small, PICTURES),
    "too few epochs": (too_few_epochs, ALL),
    "too little data": (too_little_data, ALL),
    "too little data, CNN *": (little_data_cnn, PICTURES),
    "shifted dev": (shifted, ALL),
    "shifted dev, CNN *": (shifted_cnn, PICTURES),
    "label noise in train": (noise_in_train, PICTURES),
    "label noise in dev": (noise_in_dev, PICTURES),
    "label noise in dev, one way *": (one_way_noise_in_dev, PICTURES),
    "leak": (leak, ALL),
}
EXPECTED = {
    "too small a network": "avoidable_bias",
    "too few epochs": "avoidable_bias",
    "too little data": "variance",
    "too little data, CNN": "variance",
    "shifted dev": "data_mismatch",
    "shifted dev, CNN": "data_mismatch",
    "label noise in train": "label noise in train",
    "label noise in dev": "label noise in dev",
    "label noise in dev, one way": "label noise in dev",
    "leak": "leak",
    "dev overfitted": "dev_overfit",
    "wrong metric": "wrong metric",
}
