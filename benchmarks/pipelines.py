"""What the shipped pipelines reach: error on dev and test over seeds, and how long a seed takes.

    python -m benchmarks.pipelines [PIPELINE …] [--seeds 0 1 2] [--home FOLDER]

Each pipeline is trained as a user trains it, ``gapwise train PIPELINE seed=N``, one after the
other on the cores that this process may use (``taskset -c 0`` for one). Seconds are those of the
training alone. Test is looked at once a run, and counted in the home's ledger. Runs that the home
holds already are not trained again. Needs GAPWISE_DATA.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

GOALS = {
    "mnist-lenet": ("test", 0.008, 60),
    "fashion": ("test", 0.067, 15 * 60),
    "fashion-resnet": ("test", 0.060, 40 * 60),
    "cifar-vgg": ("test", 0.25, 30 * 60),
}
"""Pipeline → the rung, the error that it is to reach, and within how many seconds."""


@dataclass(frozen=True)
class Seed:
    """One training: seconds, errors, and the threads that it ran on."""

    seconds: float
    dev: float
    test: float
    threads: int


def gapwise(home: Path, *words: str) -> dict[str, Any]:
    """Return the document that a command prints with ``--json``."""
    command = [sys.executable, "-m", "gapwise", *words, "--json"]
    environment = os.environ | {"GAPWISE_HOME": str(home)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def trained(home: Path, pipeline: str, seed: int) -> Seed:
    """Train one seed, or read what an earlier call of this benchmark noted of it."""
    noted = home / f"{pipeline}-{seed}.json"
    if noted.is_file():
        return Seed(**json.loads(noted.read_text()))
    made = gapwise(home, "train", pipeline, f"seed={seed}")
    ladder = gapwise(home, "diagnose", made["run_id"], "--test")["ladder"]
    errors = {rung["rung"]: rung["error"] for rung in ladder}
    plan = json.loads((home / "runs" / made["run_id"] / "job.json").read_text())["plan"]
    found = Seed(made["seconds"], errors["dev"], errors["test"], plan["threads"])
    noted.write_text(json.dumps(vars(found)))
    return found


def row(pipeline: str, seeds: list[Seed]) -> str:
    """Return a pipeline's row: medians, least and most."""
    cells = [pipeline, str(len(seeds)), str(seeds[0].threads)]
    for values, scale in (
        ([seed.dev for seed in seeds], 100),
        ([seed.test for seed in seeds], 100),
        ([seed.seconds for seed in seeds], 1),
    ):
        low, high = scale * min(values), scale * max(values)
        digits = 2 if scale == 100 else 0
        cells.append(f"{scale * median(values):,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})")
    return "| " + " | ".join([*cells, goal(pipeline, seeds)]) + " |"


def goal(pipeline: str, seeds: list[Seed]) -> str:
    """Return the goal, and whether the medians hold it."""
    if pipeline not in GOALS:
        return ""
    rung, error, seconds = GOALS[pipeline]
    reached = median(getattr(seed, rung) for seed in seeds) <= error
    in_time = median(seed.seconds for seed in seeds) <= seconds
    held = "held" if reached and in_time else "**not held**"
    return f"{rung} ≤ {100 * error:.1f} % in {seconds:,} s: {held}"


def main() -> None:
    """Train what is asked for and print a row as soon as a pipeline's seeds are done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pipelines", nargs="*", default=list(GOALS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--home", type=Path, help="where runs are kept (default: thrown away)")
    asked = parser.parse_args()
    print("| pipeline | seeds | threads | dev, % | test, % | seconds a seed | goal |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as scratch:
        home = (asked.home or Path(scratch)).absolute()
        home.mkdir(parents=True, exist_ok=True)
        for pipeline in asked.pipelines:
            seeds = [trained(home, pipeline, seed) for seed in asked.seeds]
            print(row(pipeline, seeds), flush=True)


if __name__ == "__main__":
    main()
