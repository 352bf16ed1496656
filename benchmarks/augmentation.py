"""What each change of augmentation costs beside a step of training, on batches of 128 pictures.

    python benchmarks/augmentation.py [--device cpu|cuda] [--threads N] [--repeats N]

Contenders take turns in one process; the table gives the median milliseconds a batch of CIFAR-10
and their ratio to a step of LeNet-5 and of ResNet-20 in eager float32. Needs GAPWISE_DATA.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gapwise.networks.base import NETWORKS
from gapwise.training.augmentation import colours
from gapwise.training.augmentation.augment import Augmentation

BATCH = 128
CHANGES: dict[str, dict[str, Any]] = {
    "mirror": {"mirror": True},
    "shift 4": {"shift": 4},
    "mirror, shift 4": {"mirror": True, "shift": 4},
    "crop 0.5": {"crop": 0.5},
    "rotation 15": {"rotation": 15.0},
    "shear 10": {"shear": 10.0},
    "warp 2": {"warp": 2.0},
    "colour 20": {"colour": 20.0},
    "PCA colour 0.1": {"pca_colour": 0.1},
}
NETWORKS_BESIDE = ("lenet5", "resnet20")


def read_pictures(folder: Path) -> Tensor:
    """Return the first 10,000 training pictures of CIFAR-10, (n, 3, 32, 32) uint8."""
    stored = np.load(folder / "cifar10" / "cifar10_train_first10k.npz")
    return torch.from_numpy(np.ascontiguousarray(stored["images"].transpose(0, 3, 1, 2)))


def augmenting(
    pictures: Tensor, options: dict[str, Any], device: torch.device
) -> Callable[[], Any]:
    """Return what augments one batch on the device."""
    train = np.arange(len(pictures), dtype=np.int64)
    components = torch.from_numpy(colours.principal_components(pictures.numpy(), train))
    augment = Augmentation(seed=0, components=components.to(device), **options)
    batch, positions = pictures[:BATCH].to(device), torch.arange(BATCH, device=device)
    return partial(augment, batch, positions, 1)


def stepping(name: str, pictures: Tensor, device: torch.device) -> Callable[[], Any]:
    """Return one step of training on a batch that is there already."""
    network = NETWORKS.get(name)(input_shape=(3, 32, 32), outputs=10).to(device)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    inputs = pictures[:BATCH].float().div(255).to(device)
    targets = torch.arange(BATCH, device=device) % 10

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(network(inputs), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def milliseconds(call: Callable[[], Any], device: torch.device, times: int) -> float:
    """Return the mean milliseconds of ``times`` calls."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(times):
        call()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - began) / times


def measure(pictures: Tensor, device: torch.device, repeats: int) -> dict[str, float]:
    """Return the median milliseconds a batch of every contender; the first turn warms up."""
    together = {key: value for change in CHANGES.values() for key, value in change.items()}
    contenders = {
        name: augmenting(pictures, options, device)
        for name, options in {**CHANGES, "all of them": together}.items()
    }
    contenders |= {
        f"a step of {name}": stepping(name, pictures, device) for name in NETWORKS_BESIDE
    }
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for repeat in range(-1, repeats):
        for name, call in contenders.items():
            spent = milliseconds(call, device, 2 if name.startswith("a step") else 5)
            if repeat >= 0:
                taken[name].append(spent)
    return {name: median(values) for name, values in taken.items()}


def table(taken: dict[str, float]) -> list[str]:
    """Return the lines of the table."""
    steps = [taken[f"a step of {name}"] for name in NETWORKS_BESIDE]
    heads = "".join(f"{f'of a {name} step':>22}" for name in NETWORKS_BESIDE)
    lines = [f"{'':22}{'ms a batch':>12}{heads}"]
    for name, spent in taken.items():
        shares = "".join(f"{100 * spent / step:20.1f} %" for step in steps)
        lines.append(f"{name:22}{spent:12.2f}{shares}")
    return lines


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    data = os.environ.get("GAPWISE_DATA")
    if not data:
        print("GAPWISE_DATA is not set; set it to a folder of datasets", file=sys.stderr)
        return 2
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    print(f"CIFAR-10, batches of {BATCH}, {device}, {arguments.threads} threads")
    print("\n".join(table(measure(read_pictures(Path(data)), device, arguments.repeats))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
