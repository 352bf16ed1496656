"""A warm process that forks trainings, so that a child starts in milliseconds, not seconds.

Reads one line a training: a JSON object ``{"folder", "data", "pipeline", "seed"}``. Answers with
the child's pid; at the next line it waits for the child and answers with its exit status (negative:
the signal). It trains nothing itself: a process that has torch's threads cannot be forked.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

from gapwise.records import Job, NumericPlan
from gapwise.training.callbacks import Callback, Epoch, Step
from gapwise.training.job import run_job

torch.set_num_threads(1)
# The first optimizer of a process imports torch's compiler, which takes longer than a training.
torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))]).zero_grad()


class Stream(Callback):
    """Appends everything that is told to a file, as a spool does; a kill may tear the last line."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def on_step(self, step: Step) -> None:
        self._write(["step", step.step, step.epoch, step.loss, step.lr, step.examples])

    def on_epoch(self, epoch: Epoch) -> None:
        self._write(["epoch", epoch.epoch, epoch.step, dict(epoch.metrics), epoch.best])

    def _write(self, entry: list[Any]) -> None:
        os.write(self._file, f"\n{json.dumps(entry)}".encode())


def train(request: dict[str, Any]) -> None:
    folder = Path(request["folder"])
    job = Job(
        pipeline=request["pipeline"],
        data=request["data"],
        folder=str(folder / "checkpoints"),
        plan=NumericPlan(fused=True),
        seed=request["seed"],
        epochs=request["pipeline"]["training"]["epochs"],
    )
    result = run_job(job, [Stream(folder / "stream.jsonl")])
    (folder / "result.json").write_text(
        json.dumps([result.best_epoch, result.best_dev_error, Path(result.best_checkpoint).name])
    )


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                train(json.loads(line))
            except BaseException as error:
                sys.stderr.write(f"{error!r}\n")
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdin.readline()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
