"""How well wrong labels are found: average precision against cleanlab's scores, and the speed.

    GAPWISE_DATA=… python -m benchmarks.suspects [NOISE …]

CIFAR-10's first 10,000 training images with the human labels of CIFAR-10N, and with planted noise;
every example is judged by networks that did not train on it (three folds, two seeds).
"""

import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from cleanlab.filter import find_label_issues  # type: ignore[import-untyped]
from cleanlab.rank import get_label_quality_scores  # type: ignore[import-untyped]
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score  # type: ignore[import-untyped]
from torch import nn

from gapwise.statistics.suspicion import suspicion, together

FOLDS, SEEDS, EPOCHS, BATCH = 3, 2, 10, 128
PLANTED = 0.2
CLASSES = 10
HUMAN = {"aggre": "aggre_label", "random1": "random_label1", "worse": "worse_label"}

Scores = NDArray[np.float32]
Given = NDArray[np.int64]


def main() -> None:
    """Print one row a kind of noise, then the speed on a million rows."""
    torch.set_num_threads(1)
    images, clean, human = _read(Path(os.environ["GAPWISE_DATA"]) / "cifar10")
    kinds: dict[str, Callable[[], Given]] = {
        **{name: partial(human.__getitem__, key) for name, key in HUMAN.items()},
        "uniform": partial(_uniform, clean),
        "class": partial(_by_class, clean),
        "example": partial(_by_example, images, clean),
    }
    wanted = sys.argv[1:] or list(kinds)
    removed = []
    print("noise     wrong  confidence  margin  learning  ours (one run)  ours (all)  removed")
    for name in wanted:
        given = kinds[name]()
        start = time.perf_counter()
        judged = [_judged(images, given, seed) for seed in range(SEEDS)]
        row = _row(judged, given, given != clean)
        removed.append(row[-1])
        cells = "  ".join(f"{value:.4f}" for value in row)
        seconds = time.perf_counter() - start
        print(f"{name:9} {(given != clean).mean():.3f}  {cells}   ({seconds:.0f} s)", flush=True)
    print(f"shortfall removed on average: {np.mean(removed):.1%} (goal 25 %)")
    _speed()


def _row(judged: list[Scores], given: Given, wrong: NDArray[np.bool_]) -> list[float]:
    """Return average precisions, and the share of the best baseline's shortfall that is removed.

    The baselines and ours from one matrix are means over the seeds.
    """
    singles = []
    for one in judged:
        quality = {
            method: 1 - get_label_quality_scores(given, one, method=method)
            for method in ("self_confidence", "normalized_margin")
        }
        flagged = find_label_issues(given, one, n_jobs=1)
        learned = quality["normalized_margin"] + flagged
        ours, _ = suspicion(one, given)
        ranked = (*quality.values(), learned, ours)
        singles.append([float(average_precision_score(wrong, score)) for score in ranked])
    single = np.mean(singles, axis=0).tolist()
    whole, _ = suspicion(together(judged), given)
    best, found = max(single[:3]), float(average_precision_score(wrong, whole))
    return [*single, found, (found - best) / (1 - best)]


def _read(folder: Path) -> tuple[torch.Tensor, Given, dict[str, Given]]:
    packed = np.load(folder / "cifar10_train_first10k.npz")
    images = torch.from_numpy(packed["images"]).permute(0, 3, 1, 2).float() / 255
    mean, deviation = images.mean((0, 2, 3), keepdim=True), images.std((0, 2, 3), keepdim=True)
    labels = np.load(folder / "cifar10n_labels.npz")
    human = {key: labels[key][: len(images)].astype(np.int64) for key in HUMAN.values()}
    return (images - mean) / deviation, packed["labels"].astype(np.int64), human


def _uniform(clean: Given) -> Given:
    generator = np.random.default_rng(0)
    moved = generator.random(len(clean)) < PLANTED
    return np.where(moved, (clean + generator.integers(1, CLASSES, len(clean))) % CLASSES, clean)


def _by_class(clean: Given) -> Given:
    """Each class is taken for one other, the odd ones twice as often as the even ones."""
    generator = np.random.default_rng(0)
    rate = np.where(clean % 2 == 1, 4 / 3, 2 / 3) * PLANTED
    return np.where(generator.random(len(clean)) < rate, (clean + 1) % CLASSES, clean)


def _by_example(images: torch.Tensor, clean: Given) -> Given:
    """What lies near another class is taken for it, the nearest 20 % of the images."""
    flat = images.flatten(1).numpy()
    means = np.stack([flat[clean == k].mean(axis=0) for k in range(CLASSES)])
    far = _far(flat, means)
    own = far[np.arange(len(clean)), clean].copy()
    far[np.arange(len(clean)), clean] = np.inf
    moved = np.argsort(far.min(axis=1) - own)[: int(PLANTED * len(clean))]
    given = clean.copy()
    given[moved] = far[moved].argmin(axis=1)
    return given


def _far(flat: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.float32]:
    far = (flat**2).sum(1)[:, None] - 2 * flat @ means.T + (means**2).sum(1)
    return np.asarray(far, np.float32)


def _judged(images: torch.Tensor, given: Given, seed: int) -> Scores:
    """Return out-of-sample scores (n, k) of one seed."""
    generator = np.random.default_rng(seed)
    fold = generator.permutation(len(given)) % FOLDS
    scores = np.empty((len(given), CLASSES), np.float32)
    for k in range(FOLDS):
        held, rest = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        network = _trained(images[rest], torch.from_numpy(given[rest]), 10 * seed + k)
        scores[held] = torch.softmax(_outputs(network, images[held]), 1).numpy()
    return scores


def _network() -> nn.Sequential:
    def block(before: int, after: int) -> list[nn.Module]:
        return [
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]

    return nn.Sequential(
        *block(3, 32), nn.MaxPool2d(2), *block(32, 64), nn.MaxPool2d(2),
        *block(64, 128), nn.MaxPool2d(2), *block(128, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(128, CLASSES),
    )  # fmt: skip


def _trained(images: torch.Tensor, given: torch.Tensor, seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    network = _network()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(images))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = images[rows]
            batch = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, batch, batch.flip(3))
            loss = nn.functional.cross_entropy(network(batch), given[rows])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
    network.eval()
    return network


@torch.inference_mode()
def _outputs(network: nn.Sequential, images: torch.Tensor) -> torch.Tensor:
    parts = [images[start : start + 500] for start in range(0, len(images), 500)]
    return torch.cat([network(part) for part in parts])


def _speed() -> None:
    generator = np.random.default_rng(0)
    scores = generator.dirichlet(np.ones(CLASSES), 1_000_000).astype(np.float32)
    given = generator.integers(0, CLASSES, len(scores))
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        doubt, _ = suspicion(scores, given)
        np.argsort(-doubt, kind="stable")
        seconds.append(time.perf_counter() - start)
    tracemalloc.start()
    suspicion(scores, given)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
    print(
        f"1,000,000 × {CLASSES} ranked: {np.median(seconds):.2f} s ({spread}), {peak:.0f} MiB more"
    )


if __name__ == "__main__":
    main()
