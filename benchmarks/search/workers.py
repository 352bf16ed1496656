"""How much two one-thread workers do that one does: LeNet jobs on MNIST, of some seconds each.

    GAPWISE_DATA=FOLDER python -m benchmarks.search.workers [--jobs 4] [--repetitions 5]

Each repetition times the same jobs on one worker and on two, after jobs that warm them up.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from gapwise import pipeline_file
from gapwise.records import Job, NumericPlan
from gapwise.settings import Settings
from gapwise.training.trial import run_trial
from gapwise.workers.base import Done
from gapwise.workers.local import LocalProcesses
from gapwise.workflows.prepare import ready


def jobs(count: int, folder: Path) -> list[Job]:
    """Return jobs of two epochs over MNIST each, under seeds of their own."""
    start = ready("mnist-lenet", Settings.read(), ("training.epochs=2",))
    return [
        Job(
            pipeline=pipeline_file.resolve(start.pipeline),
            data=str(start.folder),
            folder=str(folder / str(number)),
            plan=NumericPlan(threads=1, fused=True),
            seed=number,
            epochs=2,
        )
        for number in range(count)
    ]


def timed(workers: LocalProcesses, todo: Sequence[Job]) -> float:
    """Return the seconds that the jobs took."""
    waiting, out = list(todo), 0
    began = time.monotonic()
    while waiting or out:
        while waiting and out < workers.slots:
            job = waiting.pop()
            workers.submit(job.folder, run_trial, job)
            out += 1
        for done in workers.wait(1.0):
            if isinstance(done, Done):
                assert done.failure is None, done
                assert not done.lost, done
                out -= 1
    return time.monotonic() - began


def once(slots: int, count: int) -> float:
    """Return the seconds of ``count`` jobs on ``slots`` warm workers."""
    folder = Path(tempfile.mkdtemp())
    workers = LocalProcesses(slots)
    try:
        made = jobs(count + slots, folder)
        timed(workers, made[:slots])
        return timed(workers, made[slots:])
    finally:
        workers.close()
        shutil.rmtree(folder)


def main() -> None:
    """Print each repetition and the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--repetitions", type=int, default=5)
    given = parser.parse_args()
    ratios = []
    for _ in range(given.repetitions):
        one, two = once(1, given.jobs), once(2, given.jobs)
        ratios.append(one / two)
        print(
            f"{given.jobs} jobs: one worker {one:.1f} s ({one / given.jobs:.1f} s a job), "
            f"two workers {two:.1f} s, {one / two:.2f} times as fast",
            flush=True,
        )
    print(f"median {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
