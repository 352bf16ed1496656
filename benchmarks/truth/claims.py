"""The notes' claims about training, each tried on real data.

    python -m benchmarks.truth.claims [--only NAME] [--seeds N]

Each claim compares two arms that differ in one thing. Both get the best learning rate of one grid
(by the measure, on seed 0), then train on seeds 1 to N. A claim *held* when the worst seed of the
arm that the notes prefer beats the best seed of the other, *failed* when it is the other way round,
and is undecided between. Claims on CIFAR-10 need GAPWISE_DATA.
"""

import argparse
import json
import os
import tempfile
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from sklearn import datasets  # type: ignore[import-untyped]

from benchmarks.truth._claims import CLAIMS, Arm, Claim, mlp
from gapwise.data import prepared as prepared_data
from gapwise.data.assignment import Assignment
from gapwise.errors import TrainingError
from gapwise.pipeline import Pipeline
from gapwise.records import ExampleSet, Job, NumericPlan
from gapwise.training.callbacks import Callback, Epoch
from gapwise.training.job import run_job

SCRATCH = Path(tempfile.gettempdir()) / f"gapwise-claims-{os.getpid()}"


class Last(Callback):
    """Keeps the metrics of the last epoch."""

    def on_epoch(self, epoch: Epoch) -> None:
        """Keep them."""
        self.metrics = dict(epoch.metrics)
        self.metrics["seconds_an_example"] = 1 / epoch.examples_per_second


@cache
def prepared(name: str) -> str:
    """Write a data set once; return its folder."""
    images, labels, train = _arrays(name)
    split = np.where(np.arange(len(labels)) < train, "train", "dev")
    examples = ExampleSet(
        name=name,
        inputs=images,
        targets=labels.astype(np.int64),
        classes=tuple(str(c) for c in range(int(labels.max()) + 1)),
        ids=np.array([f"{i:05d}" for i in range(len(labels))]),
        sources=np.full(len(labels), name),
    )
    folder = SCRATCH / name
    prepared_data.write(folder, examples, Assignment(split=split, cuts={}, digest=""))
    if name.endswith("-raw"):
        _forget_normalisation(folder / prepared_data.META)
    return str(folder)


def _forget_normalisation(path: Path) -> None:
    document = json.loads(path.read_text())
    count = len(document["normalisation"]["mean"])
    document["normalisation"] = {"mean": [0.0] * count, "deviation": [1.0] * count}
    path.write_text(json.dumps(document))


def _arrays(name: str) -> tuple[Any, Any, int]:
    """Return inputs, labels, and how many of the first train."""
    if name == "cifar":
        folder = Path(os.environ["GAPWISE_DATA"]) / "cifar10"
        stored = np.load(folder / "cifar10_train_first10k.npz")
        images = np.ascontiguousarray(stored["images"][:4500].transpose(0, 3, 1, 2))
        return images, stored["labels"][:4500], 4000
    bunch = datasets.load_breast_cancer() if name.startswith("cancer") else datasets.load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    rows, labels = bunch.data[order].astype(np.float32), bunch.target[order]
    if name == "few-digits":
        # The same dev examples, and the first 200 of those that train.
        return np.delete(rows, slice(200, 1200), 0), np.delete(labels, slice(200, 1200)), 200
    return rows, labels, 1200 if name == "digits" else 400


def trained(claim: Claim, arm: Arm, rate: float, seed: int) -> float:
    """Train one arm once; return its measure, infinite where it diverged."""
    data = arm.data or claim.data
    document: dict[str, Any] = {"data": {"dataset": data}, "network": mlp(64, 32)}
    document["training"] = {"epochs": 5, "batch_size": 64, "optimizer": {"lr": rate}}
    for dotted, value in {**claim.common, **arm.change}.items():
        *sections, last = dotted.split(".")
        place = document
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    last_epoch = Last()
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        job = Job(
            pipeline=Pipeline.model_validate(document).model_dump(),
            data=prepared(data),
            folder=folder,
            plan=NumericPlan(threads=1, channels_last=data == "cifar", fused=True),
            seed=seed,
            epochs=document["training"]["epochs"],
        )
        try:
            run_job(job, [last_epoch])
        except TrainingError:
            return float("inf")
    return last_epoch.metrics[claim.measure]


def tried(claim: Claim, seeds: int) -> str:
    """Return the claim's row of the table."""
    values, cells = {}, []
    for arm in (claim.better, claim.worse):
        rates = {rate: trained(claim, arm, rate, 0) for rate in arm.rates}
        rate = min(rates, key=rates.__getitem__) if len(rates) > 1 else arm.rates[0]
        found = [trained(claim, arm, rate, seed) for seed in range(1, seeds + 1)]
        values[arm.name] = found
        span = f"{median(found):.3g} ({min(found):.3g}–{max(found):.3g})"
        cells.append(f"{arm.name}: {span}, lr {rate:g}")
    better, worse = values[claim.better.name], values[claim.worse.name]
    verdict = "undecided"
    if max(better) < min(worse):
        verdict = "held"
    elif min(better) > max(worse):
        verdict = "failed"
    return f"| {claim.section} | {claim.says} | {claim.measure} | {' | '.join(cells)} | {verdict} |"


def main() -> None:
    """Try the claims, a row each as it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[claim.name for claim in CLAIMS])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    SCRATCH.mkdir()
    print("| notes | claim | measure | preferred | other | verdict |")
    print("| --- | --- | --- | --- | --- | --- |")
    for claim in CLAIMS:
        if arguments.only in (None, claim.name):
            print(tried(claim, arguments.seeds), flush=True)


if __name__ == "__main__":
    main()
