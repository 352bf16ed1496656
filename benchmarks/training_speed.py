"""How fast a gapwise epoch is beside the loop that everybody writes, and beside bare arithmetic.

    python benchmarks/training_speed.py [--set fashion|cifar10] [--examples N] [--repeats N]

Contenders take turns in one process; the table gives the median of examples per second over the
repeats and their spread. Needs GAPWISE_DATA.

* gapwise: an epoch of ``run_job`` with mirroring and callbacks that write every step to a file.
* idiomatic: a Dataset with PIL per item, a DataLoader with two workers, eager float32.
* bare: the same network, optimizer and numeric plan on one batch that is there already.
"""

import argparse
import gzip
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from gapwise.data import prepared as prepared_data
from gapwise.data.assignment import Assignment
from gapwise.data.prepared import Prepared
from gapwise.networks.base import NETWORKS
from gapwise.pipeline import Pipeline
from gapwise.records import ExampleSet, Job, NumericPlan
from gapwise.training.callbacks import Callback, Epoch, Step
from gapwise.training.feeds import MemoryFeed
from gapwise.training.job import make_learner, run_job
from gapwise.training.numerics import under
from gapwise.training.plan import available_cores, choose_plan
from gapwise.training.recipe import read_recipe

BATCH = 128
NETWORK = {"fashion": "lenet5", "cifar10": "resnet20"}
GOALS = {
    "fashion": {"idiomatic": 2.0, "bare": 0.85},
    "cifar10": {"idiomatic": 2.5},
}


@dataclass(frozen=True)
class Setting:
    """What all contenders train: one network on one set under one plan."""

    name: str
    prepared: Prepared
    pipeline: dict[str, Any]
    plan: NumericPlan

    @property
    def train(self) -> NDArray[np.int64]:
        """Positions of the training examples."""
        return self.prepared.indices("train")


def read_set(name: str, folder: Path, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images (n, channels, height, width) and labels of the first ``count`` examples."""
    if name == "cifar10":
        stored = np.load(folder / "cifar10" / "cifar10_train_first10k.npz")
        images = np.ascontiguousarray(stored["images"][:count].transpose(0, 3, 1, 2))
        return images, stored["labels"][:count].astype(np.int64)
    images = _idx(folder / "fashion-mnist" / "train-images-idx3-ubyte.gz", 16)
    labels = _idx(folder / "fashion-mnist" / "train-labels-idx1-ubyte.gz", 8)
    return images.reshape(-1, 1, 28, 28)[:count], labels[:count].astype(np.int64)


def _idx(path: Path, header: int) -> NDArray[np.uint8]:
    with gzip.open(path) as stream:
        return np.frombuffer(stream.read(), np.uint8, offset=header)


def make_setting(name: str, data: Path, scratch: Path, count: int) -> Setting:
    """Prepare the data and choose the plan as ``gapwise train`` would for 20 epochs."""
    images, labels = read_set(name, data, count + 500)
    split = np.array(["train"] * (len(images) - 500) + ["dev"] * 500)
    examples = ExampleSet(
        name=name,
        inputs=images,
        targets=labels,
        classes=tuple("0123456789"),
        ids=np.array([f"{i:06d}" for i in range(len(images))]),
        sources=np.full(len(images), "train"),
    )
    prepared = prepared_data.write(
        scratch / name, examples, Assignment(split=split, cuts={}, digest="")
    )
    training = {"batch_size": BATCH, "epochs": 20, "augmentation": {"mirror": True}}
    pipeline = Pipeline.model_validate(
        {"data": {"dataset": name}, "network": NETWORK[name], "training": training}
    ).model_dump()
    return Setting(name, prepared, pipeline, choose_plan(pipeline, prepared))


class Listening(Callback):
    """Writes every step to a file, as tracking does, and keeps the epoch's speed."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("a")
        self.speed = 0.0

    def on_step(self, step: Step) -> None:
        """Write the step down."""
        print(json.dumps([step.step, step.loss, step.lr, time.time()]), file=self._stream)

    def on_epoch(self, epoch: Epoch) -> None:
        """Keep the speed."""
        self.speed = epoch.examples_per_second
        self._stream.flush()


def gapwise_speed(setting: Setting, scratch: Path, plan: NumericPlan, repeat: int) -> float:
    """Return examples per second of one epoch of a new job."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    job = Job(
        pipeline=setting.pipeline,
        data=str(setting.prepared.folder),
        folder=str(folder / "checkpoints"),
        plan=plan,
        seed=repeat + 1,
        epochs=1,
    )
    listening = Listening(folder / "steps.jsonl")
    run_job(job, [listening])
    return listening.speed


class Pictures(Dataset[tuple[Tensor, int]]):
    """One PIL image at a time: mirrored at random, to a tensor, normalised."""

    def __init__(self, setting: Setting) -> None:
        self._images = np.ascontiguousarray(
            setting.prepared.inputs[setting.train].transpose(0, 2, 3, 1)
        )
        self._labels = setting.prepared.targets[setting.train]
        mean, deviation = setting.prepared.normalisation
        self._mean = torch.tensor(mean / 255, dtype=torch.float32)[:, None, None]
        self._deviation = torch.tensor(deviation / 255, dtype=torch.float32)[:, None, None]

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self._images[index].squeeze())
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        array = np.array(image)
        array = array[:, :, None] if array.ndim == 2 else array
        tensor = torch.from_numpy(array).permute(2, 0, 1).contiguous().float().div(255)
        return (tensor - self._mean) / self._deviation, int(self._labels[index])


def idiomatic_speed(setting: Setting, loader: "DataLoader[tuple[Tensor, int]]") -> float:
    """Return examples per second of one epoch; the workers' start does not count."""
    torch.set_num_threads(available_cores())
    network = _network(setting)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    seen, correct, total = 0, 0, 0.0
    began = 0.0
    for inputs, targets in _timed_batches(loader):
        began = began or time.perf_counter()
        optimizer.zero_grad()
        outputs = network(inputs)
        loss: Any = F.cross_entropy(outputs, targets)
        loss.backward()
        optimizer.step()
        total += loss.item()
        correct += int((outputs.argmax(1) == targets).sum().item())
        seen += len(targets)
    return seen / (time.perf_counter() - began)


def _timed_batches(loader: "DataLoader[tuple[Tensor, int]]") -> Iterator[tuple[Tensor, Tensor]]:
    yield from loader


def bare_speed(setting: Setting, plan: NumericPlan) -> float:
    """Return examples per second of steps on one batch, under the same plan."""
    job = Job(pipeline=setting.pipeline, data="", folder="", plan=plan, seed=0, epochs=1)
    steps = -(-len(setting.train) // BATCH)
    with under(plan) as device:
        learner = make_learner(read_recipe(setting.pipeline, {}), setting.prepared, job)
        batch = next(MemoryFeed(setting.prepared, device).batches([setting.train[:BATCH]]))
        inputs = (batch.inputs.float() - learner.model.mean) / learner.model.deviation
        if plan.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        network, optimizer = learner.model.network, learner.optimizer
        began = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=plan.dtype == "bfloat16"):
                outputs = network(inputs)
            loss: Any = F.cross_entropy(outputs.float(), batch.targets)
            loss.backward()
            optimizer.step()
        return steps * BATCH / (time.perf_counter() - began)


def _network(setting: Setting) -> nn.Module:
    part = NETWORKS.get(NETWORK[setting.name])
    return part(input_shape=setting.prepared.input_shape, outputs=10)


def measure(setting: Setting, scratch: Path, repeats: int) -> dict[str, list[float]]:
    """Return examples per second of every contender in every repeat, taking turns."""
    eager = replace(setting.plan, dtype="float32", channels_last=False)
    loader = DataLoader(
        Pictures(setting), batch_size=BATCH, shuffle=True, num_workers=2, persistent_workers=True
    )
    contenders: dict[str, Callable[[int], float]] = {
        "gapwise": partial(gapwise_speed, setting, scratch, setting.plan),
        "idiomatic": lambda _: idiomatic_speed(setting, loader),
        "bare": lambda _: bare_speed(setting, setting.plan),
    }
    if setting.plan != eager:
        contenders["gapwise, eager float32"] = partial(gapwise_speed, setting, scratch, eager)
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    for repeat in range(-1, repeats):
        for name, contender in contenders.items():
            speed = contender(repeat)
            # The first turn warms caches and workers and does not count.
            if repeat >= 0:
                speeds[name].append(speed)
    return speeds


def table(setting: Setting, speeds: dict[str, list[float]]) -> list[str]:
    """Return the lines of the table; ratios are those of each repeat."""
    plan = setting.plan
    lines = [
        f"{NETWORK[setting.name]} on {setting.name}: {len(setting.train)} examples an epoch, batch "
        f"{BATCH}, {plan.threads} threads, {plan.dtype}, channels_last={plan.channels_last}",
        f"{'':24}{'examples/s':>12}{'lowest':>10}{'highest':>10}{'gapwise is':>13}{'goal':>8}",
    ]
    for name, values in speeds.items():
        ratios = [ours / theirs for ours, theirs in zip(speeds["gapwise"], values, strict=True)]
        goal = GOALS[setting.name].get(name)
        lines.append(
            f"{name:24}{median(values):12,.0f}{min(values):10,.0f}{max(values):10,.0f}"
            f"{median(ratios):11.2f} ×{f'{goal:.2f}' if goal else '':>8}"
        )
    return lines


def main() -> int:
    """Measure and print; the exit code is 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=list(NETWORK), action="append", dest="sets")
    parser.add_argument("--examples", type=int, help="training examples an epoch")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    data = os.environ.get("GAPWISE_DATA")
    if not data:
        print("GAPWISE_DATA is not set; set it to a folder of datasets", file=sys.stderr)
        return 2
    missed = False
    for name in arguments.sets or NETWORK:
        count = arguments.examples or {"fashion": 50_000, "cifar10": 4_000}[name]
        with tempfile.TemporaryDirectory() as scratch:
            setting = make_setting(name, Path(data), Path(scratch), count)
            speeds = measure(setting, Path(scratch), arguments.repeats)
        print("\n".join(table(setting, speeds)), end="\n\n", flush=True)
        ours = speeds["gapwise"]
        missed |= any(
            median(a / b for a, b in zip(ours, speeds[other], strict=True)) < goal
            for other, goal in GOALS[name].items()
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
