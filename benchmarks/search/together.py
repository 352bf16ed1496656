"""How many trials a minute jobs of several trials bring, against jobs of one, by network.

    GAPWISE_DATA=FOLDER python -m benchmarks.search.together [--device cpu] [--repetitions 3]

A repetition trains the same trials alone, one after the other, and together, so many a job, each
with a learning rate of its own; checkpoints, evaluation and all. Rows with ``×`` name the hidden
layers of a multilayer perceptron on the bundled digits, 64 inputs; LeNet-5 and the widest
perceptron are on MNIST, 28×28. One thread.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch

from gapwise import pipeline_file
from gapwise.records import Job, NumericPlan
from gapwise.settings import Settings
from gapwise.training.job import run_job
from gapwise.training.together import run_jobs
from gapwise.workflows.prepare import ready

SIZES = (4, 16, 64)
PAYS = 0.8
"""Where fewer pay less than this, more are not tried."""

FEWER_DIGITS = ("splits.test=52500", "training.epochs=2")
"""10,000 digits of MNIST to train."""

NETWORKS: dict[str, tuple[str, tuple[str, ...]]] = {
    **{
        f"perceptron {width}×{width // 2}": (
            "digits",
            (f"network={{name: multilayer-perceptron, hidden: [{width}, {width // 2}]}}",),
        )
        for width in (16, 64, 256)
    },
    "perceptron of `adult`": ("adult", ("training.epochs=2",)),
    "CNN 32-64 of `digits`": ("digits", ()),
    "LeNet-5, MNIST": ("mnist-lenet", FEWER_DIGITS),
    "perceptron 256×128, MNIST": (
        "mnist-lenet",
        ("network={name: multilayer-perceptron, hidden: [256, 128]}", *FEWER_DIGITS),
    ),
}


def jobs(name: str, count: int, folder: Path, device: str) -> list[Job]:
    """Return ``count`` trials of a network, each with its own learning rate."""
    pipeline, overrides = NETWORKS[name]
    start = ready(pipeline, Settings.read(), overrides)
    epochs = min(8, start.pipeline.training.epochs)
    return [
        Job(
            pipeline=pipeline_file.resolve(start.pipeline),
            data=str(start.folder),
            folder=str(folder / str(number)),
            plan=NumericPlan(device=device, threads=1, fused=True, together=count),
            seed=0,
            epochs=epochs,
            parameters={"training.optimizer.lr": 1e-3 * (1 + number / count)},
        )
        for number in range(count)
    ]


def seconds(name: str, count: int, together: bool, device: str) -> float:
    """Return the seconds a trial that jobs of a network take."""
    with tempfile.TemporaryDirectory() as folder:
        made = jobs(name, count, Path(folder), device)
        began = time.perf_counter()
        if together:
            run_jobs(made, [[] for _ in made])
        else:
            for job in made:
                run_job(job)
        if device != "cpu":
            torch.accelerator.synchronize()
        return (time.perf_counter() - began) / count


def row(name: str, device: str, repetitions: int, sizes: Sequence[int]) -> str:
    """Return a network's row: trials a minute alone, and how many times as many together."""
    seconds(name, 1, False, device)  # what a first training alone pays for
    alone = [seconds(name, 2, False, device) for _ in range(repetitions)]
    ratios: list[float] = []
    cells = [name, f"{60 / median(alone):,.0f} ({60 / max(alone):,.0f} to {60 / min(alone):,.0f})"]
    for size in sizes:
        if ratios and median(ratios) < PAYS:
            cells.append("–")
            continue
        ratios = [one / seconds(name, size, True, device) for one in alone]
        cells.append(f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a row a network, median and range over the repetitions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    given = parser.parse_args()
    print(f"| network | trials a minute alone | {' | '.join(f'{n} a job' for n in given.sizes)} |")
    print(f"| --- {'| --- ' * (1 + len(given.sizes))}|")
    for name in given.networks:
        print(row(name, given.device, given.repetitions, given.sizes), flush=True)


if __name__ == "__main__":
    main()
