"""Does bf16 cost accuracy? One pipeline under float32 and under bfloat16, seed by seed.

    python -m benchmarks.precision [--seeds 0 1 2] [--epochs 10] [--home FOLDER]

ResNet-20 on CIFAR-10 (10,000 training images): final dev error of each seed, the mean difference,
and the spread of float32 over seeds that it is to stay within. Needs GAPWISE_DATA.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import mean, stdev

from benchmarks.pipelines import gapwise

PIPELINE = "cifar-vgg"
CHANGE = ("network=resnet20", "training.l2=0.0005", "training.augmentation.shift=2")
KINDS = ("float32", "bfloat16")


def error(home: Path, kind: str, seed: int, epochs: int) -> tuple[float, float]:
    """Return final dev error (fraction of 1) and seconds of one training."""
    words = [*CHANGE, f"seed={seed}", f"training.epochs={epochs}", f"training.precision={kind}"]
    made = gapwise(home, "train", PIPELINE, *words)
    rungs = {rung["rung"]: rung["error"] for rung in made["ladder"]}
    return float(rungs["dev"]), float(made["seconds"])


def main() -> None:
    """Train both kinds for every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--home", type=Path, default=None)
    options = parser.parse_args()
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        print("| seed | precision | dev error, % | seconds |\n| --- | --- | --- | --- |")
        for seed in options.seeds:
            for kind in KINDS:
                dev, seconds = error(home, kind, seed, options.epochs)
                found[kind].append(dev)
                print(f"| {seed} | {kind} | {100 * dev:.2f} | {seconds:.0f} |", flush=True)
    wide, narrow = (found[kind] for kind in KINDS)
    apart = mean(narrow) - mean(wide)
    spread = stdev(wide) if len(wide) > 1 else float("nan")
    print(f"mean difference {100 * apart:+.2f} points; seeds of float32 spread {100 * spread:.2f}")


if __name__ == "__main__":
    main()
