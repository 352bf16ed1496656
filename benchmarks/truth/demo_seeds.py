"""Does the demo tell the truth? The pipeline ``digits`` over seeds of splits, weights and order.

The planted cause is the camera model: phone is the target and only a tenth of training is phone.
Right means: verdict ``data_mismatch``, decided, and the first step named is to synthesize phone
training data. Run: ``python -m benchmarks.truth.demo_seeds --seeds 20``.
"""

import argparse
import os
import tempfile
from collections import Counter

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from gapwise.records import Diagnosis
from gapwise.statistics.intervals import wilson
from gapwise.workflows.train import train


def main() -> None:
    """Train and diagnose each seed; print the ladders and how often the verdict was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"GAPWISE_HOME": folder, "GAPWISE_CACHE": folder, "GAPWISE_MIRROR": "off"}
        found = [_one(seed) for seed in range(seeds)]
    verdicts = Counter(diagnosis.verdict for diagnosis in found)
    right = sum(_is_right(diagnosis) for diagnosis in found)
    bounds = wilson(right, seeds)
    print(f"right: {right} of {seeds} ({bounds.low:.2f} to {bounds.high:.2f}); verdicts {verdicts}")


def _one(seed: int) -> Diagnosis:
    trained = train("digits", [f"seed={seed}", f"splits.seed={seed}"])
    diagnosis = trained.diagnosis
    ladder = " / ".join(f"{100 * rung.error:.1f}" for rung in diagnosis.ladder)
    print(f"seed {seed}: {ladder} %, {diagnosis.verdict}, {trained.seconds:.1f} s", flush=True)
    return diagnosis


def _is_right(diagnosis: Diagnosis) -> bool:
    knobs = [knob for finding in diagnosis.findings for knob in finding.knobs]
    first = knobs[0].change if knobs else {}
    return diagnosis.verdict == "data_mismatch" and "data.synthesize" in first


if __name__ == "__main__":
    main()
