"""What tracking every step costs a training: ``python benchmarks/tracking_cost.py``.

A step is about 8 ms of matrix products in one thread, as LeNet-5 on 28×28 pictures takes. Rounds of
the same steps go by turns without tracking, with Gapwise (its mirror to MLflow running), and with
MLflow's own ``log_metric`` at each step on a SQLite store. The ratios are taken within a round.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads that spin would drown what is measured

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore

STEP_MS = 8.0
STEPS = 150
ROUNDS = 9

Log = Callable[[float, int], None]


def main() -> None:
    """Print one table."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(
            Settings.read(), home=Path(folder), tracking_uri=f"sqlite:///{folder}/m.db"
        )
        client = connect(settings)
        run_id = client.create_run(client.create_experiment("mlflow")).info.run_id
        with RunStore(settings).create(
            experiment="cost", name=None, kind="train", seed=0, group=None, dataset="none"
        ) as writer:
            writer.start_system_metrics()

            def gapwise(loss: float, step: int) -> None:
                writer.log_metrics({"loss": loss, "lr": 0.1}, step)

            def mlflow(loss: float, step: int) -> None:
                client.log_metric(run_id, "loss", loss, step=step)

            report({"nothing": lambda _loss, _step: None, "gapwise": gapwise, "mlflow": mlflow})
            writer.finish("FINISHED")


def report(loggers: dict[str, Log]) -> None:
    """Measure by turns and print medians with their spread (quartiles)."""
    work = calibrated()
    seconds: dict[str, list[float]] = {name: [] for name in loggers}
    calls: dict[str, list[float]] = {name: [] for name in loggers}
    for turn in range(ROUNDS):
        for name, log in loggers.items():
            whole, logging = one_round(work, log, turn * STEPS)
            seconds[name].append(whole)
            calls[name].append(logging / STEPS * 1e6)
    print(f"{ROUNDS} rounds of {STEPS} steps, by turns; {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.1f}; medians [quartiles]")  # fmt: skip
    titles = ("step, ms", "one call, µs", "call / step, %", "round / untracked")
    print(f"{'logger':<10}" + "".join(f"{title:>26}" for title in titles))
    for name in loggers:
        steps = [whole / STEPS * 1e3 for whole in seconds[name]]
        shares = [call / step / 10 for call, step in zip(calls[name], steps, strict=True)]
        ratios = [a / b for a, b in zip(seconds[name], seconds["nothing"], strict=True)]
        cells = (spread(steps), spread(calls[name]), spread(shares), spread(ratios, 3))
        print(f"{name:<10}" + "".join(f"{cell:>26}" for cell in cells))


def one_round(work: Callable[[], None], log: Log, first: int) -> tuple[float, float]:
    """Return the seconds of a round, and those spent in the logger."""
    logging = 0.0
    begun = time.perf_counter()
    for step in range(first, first + STEPS):
        work()
        called = time.perf_counter()
        log(1 / (step + 1), step)
        logging += time.perf_counter() - called
    return time.perf_counter() - begun, logging


def calibrated() -> Callable[[], None]:
    """Return work that takes about ``STEP_MS`` on a quiet machine."""
    matrix = np.random.default_rng(0).standard_normal((192, 192), dtype=np.float32)
    for _ in range(50):
        matrix @ matrix
    times = []
    for _ in range(200):
        begun = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - begun)
    products = max(1, round(STEP_MS / 1e3 / statistics.median(times)))

    def work() -> None:
        for _ in range(products):
            matrix @ matrix

    return work


def spread(values: list[float], digits: int = 2) -> str:
    """Return the median with its quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


if __name__ == "__main__":
    main()
