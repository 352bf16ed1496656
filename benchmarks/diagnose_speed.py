"""Speed and memory of ``diagnose`` over stored predictions, after imports.

    python benchmarks/diagnose_speed.py [--rows 1000000] [--repeats 7]

Writes Parquet files of four splits once, then reads and diagnoses them in fresh processes: the
plain table (independent 0/1 errors), one with groups and weights, and three seeds together. Prints
median and spread of the seconds, and the peak memory of the process.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

SPLITS = {"train": 0.02, "train_dev": 0.05, "dev": 0.12, "test": 0.125}
CLASSES = [f"class {i}" for i in range(10)]
CASES = {"plain": 1, "groups and weights": 1, "three seeds": 3}
TIMED = """
import json, resource, sys, time
from pathlib import Path
from gapwise.diagnostics import evidence, ladder
import pyarrow.parquet, scipy.stats
paths = {split: [Path(p) for p in files] for split, files in json.loads(sys.argv[1]).items()}
runs = tuple(f"run{i}" for i in range(len(paths["dev"])))
start = time.perf_counter()
found = ladder.diagnose(evidence.read(run_ids=runs, paths=paths), test=True)
seconds = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
memory = memory / 1024 if sys.platform != "darwin" else memory / 1024**2
print(json.dumps([seconds, memory, found.verdict]))
"""


def write(path: Path, split: str, n: int, *, grouped: bool, seed: int) -> None:
    """Write one predictions table as a training does, scores and all."""
    shared = np.random.default_rng(0)
    generator = np.random.default_rng([seed, list(SPLITS).index(split)])
    target = shared.integers(0, 10, n)
    wrong = generator.random(n) < SPLITS[split]
    columns = {
        "example_id": pa.array([f"{split}-{i:08d}" for i in range(n)]),
        "source": pa.array(np.where(shared.random(n) < 0.9, "web", "phone")),
        "target": pa.array(target),
        "predicted": pa.array((target + wrong) % 10),
        "error": pa.array(wrong.astype(float)),
        "weight": pa.array(shared.exponential(size=n) if grouped else np.ones(n)),
        "group": pa.array([f"person {i // 5}" for i in range(n)] if grouped else [None] * n),
        "loss": pa.array(generator.exponential(size=n)),
        "scores": pa.FixedSizeListArray.from_arrays(
            pa.array(generator.random(10 * n, np.float32)), 10
        ).cast(pa.list_(pa.float32())),
    }
    metadata = {"gapwise.classes": json.dumps(CLASSES)}
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)


def measure(files: dict[str, list[str]], repeats: int) -> tuple[list[float], float, str]:
    """Return the seconds of every repeat, the largest memory in MiB, and the verdict."""
    command = [sys.executable, "-c", TIMED, json.dumps(files)]
    outputs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(repeats)
    ]
    seconds, memory, verdicts = zip(*outputs, strict=True)
    return list(seconds), max(memory), verdicts[0]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Speed of diagnose over stored predictions")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of all splits together")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    n = options.rows // len(SPLITS)
    print(f"{options.rows:,} predictions, {len(SPLITS)} splits, {options.repeats} fresh processes")
    print(f"{'case':20} {'median s':>9} {'least':>7} {'most':>7} {'peak MiB':>9}  verdict")
    with tempfile.TemporaryDirectory() as folder:
        for case, seeds in CASES.items():
            files: dict[str, list[str]] = {split: [] for split in SPLITS}
            for split in SPLITS:
                for seed in range(seeds):
                    path = Path(folder) / f"{case}-{split}-{seed}.parquet"
                    write(path, split, n, grouped=case == "groups and weights", seed=seed)
                    files[split].append(str(path))
            seconds, memory, verdict = measure(files, options.repeats)
            spread = f"{median(seconds):9.3f} {min(seconds):7.3f} {max(seconds):7.3f}"
            print(f"{case:20} {spread} {memory:9.0f}  {verdict}")


if __name__ == "__main__":
    main()
