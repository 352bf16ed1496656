"""Whole trainings on workers: each is trained, tracked and finished there, as a run of its own.

Several commands share this machine's workers: whoever comes later waits for a turn. A cluster has
a line of its own.
"""

import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gapwise import pipeline_file
from gapwise.errors import ServiceError, StoppedError, TrainingError, UsageError
from gapwise.records import JobResult
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.training.distributed import started
from gapwise.training.plan import available_cores
from gapwise.workers.base import MOST_ATTEMPTS, Context, Done, News, Workers
from gapwise.workers.open import open_workers
from gapwise.workflows.far_trainings import FarRun, train_far
from gapwise.workflows.hide_secrets import hide_secrets
from gapwise.workflows.seed_run import Batch, taken_up, work
from gapwise.workflows.shared_home import Seen, seen
from gapwise.workflows.stop import StopRequest, stop_on_signals
from gapwise.workflows.turns import Turn, Turns

LOOK_EVERY = 0.5
"""Seconds between looks at workers, at the line and at signals."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One training: a value that any worker can carry out."""

    batch: Batch
    seed: int
    run_id: str
    settings: Settings
    home: Seen


def train_there(order: Order, context: Context) -> JobResult:
    """Train on a worker, from the newest checkpoint of the run where there is one.

    Raises:
        StoppedError: the worker was asked to stop; ``resume`` goes on.
        UsageError: the worker does not share the driver's home.
        GapwiseError: as a training in this process.
    """
    order.home.require()
    batch = order.batch
    pipeline_file.reveal(pipeline_file.resolve(batch.pipeline))
    hide_secrets(batch.prepared)
    writer, job = taken_up(batch, order.seed, order.settings, order.run_id)
    with writer:
        return work(writer, job, batch.prepared, force=False, context=context)


def train_on_workers(
    batch: Batch, seeds: Sequence[int], where: str, settings: Settings
) -> dict[str, JobResult]:
    """Train every seed on a worker; return the results by the runs' ids, in the order of the seeds.

    A worker that dies takes its own training with it, which another goes on with. Where one fails,
    the others are trained all the same.

    Raises:
        StoppedError: a signal asked to stop; the checkpoints are saved.
        TrainingError: a training failed; names its run and why.
        UsageError: the workers cannot be had, or this process is one of several of ``torchrun``.
    """
    if started() > 1:
        raise UsageError(
            "torchrun has started several processes for one training; workers take whole "
            "trainings, so leave --workers out"
        )
    afar = where.strip().startswith("ray")
    # The tracking store of this machine may be out of reach there: what a run lacks is sent here.
    there = replace(settings, mirror=False) if afar else settings
    home = seen(settings)
    orders = [
        Order(batch=batch, seed=seed, run_id=uuid.uuid4().hex, settings=there, home=home)
        for seed in seeds
    ]
    with (
        stop_on_signals() as stop,
        open_workers(where, batch.plan.device, available_cores(), stop) as workers,
    ):
        turns = None if afar else Turns(settings.home / "turns", workers.slots)
        sending = _Sending(workers, turns, batch.pipeline.name)
        try:
            results = sending.run(orders, stop)
        except StoppedError as error:
            error.exit_code = stop.exit_code
            raise
        finally:
            sending.leave()
    for order in orders if settings.mirror and (afar or settings.shared) else ():
        RunStore(settings).drain(order.run_id)
    return results


class _Sending:
    """Orders that wait, those that are out, and what came of the others."""

    def __init__(self, workers: Workers, turns: Turns | None, label: str) -> None:
        self._workers, self._turns, self._label = workers, turns, label
        self._out: dict[str, tuple[Order, int, Turn | None]] = {}
        self._far: dict[str, FarRun] = {}
        self._results: dict[str, JobResult] = {}
        self._failures: list[str] = []
        self._has_told = False

    def run(self, orders: Sequence[Order], stop: StopRequest) -> dict[str, JobResult]:
        waiting = list(orders)
        while waiting or self._out:
            if stop():
                self._stop()
            while waiting and len(self._out) < self._workers.slots and self._begin(waiting[0]):
                waiting.pop(0)
            if not self._out:
                time.sleep(LOOK_EVERY)
            for news in self._workers.wait(LOOK_EVERY):
                self._take(news)
        if self._failures:
            raise TrainingError("; ".join(self._failures))
        return {order.run_id: self._results[order.run_id] for order in orders}

    def leave(self) -> None:
        """Give up turns, runs that are out, and the place in the line."""
        for *_, turn in self._out.values():
            _end(turn)
        for run in self._far.values():
            run.close()
        if self._turns is not None:
            self._turns.leave()

    def _begin(self, order: Order) -> bool:
        """Begin an order if there is a turn for it."""
        turn = None
        if self._turns is not None:
            turn = self._turns.take()
            if turn is None:
                self._tell_waiting()
                return False
        if order.settings.shared:
            try:
                run = FarRun(order.batch, order.seed, order.run_id, order.settings)
            except ServiceError as error:
                _end(turn)
                self._fail(order, f"failed: {error}")
                return True
            self._far[order.run_id] = run
        self._submit(order, 0, turn)
        return True

    def _submit(self, order: Order, attempt: int, turn: Turn | None) -> None:
        key = f"{order.run_id}.{attempt}"
        self._out[key] = (order, attempt, turn)
        if order.run_id in self._far:
            self._workers.submit(key, train_far, self._far[order.run_id].order)
        else:
            self._workers.submit(key, train_there, order)

    def _take(self, news: Done | News) -> None:
        if isinstance(news, News):
            self._tell(news)
            return
        order, attempt, turn = self._out.pop(news.key)
        if news.lost and attempt + 1 < MOST_ATTEMPTS:
            _say(f"{self._label} seed {order.seed}: {news.lost}; another worker goes on with it")
            self._submit(order, attempt + 1, turn)
            return
        _end(turn)
        why = news.lost or (news.failure.message if news.failure else "")
        is_stopped = news.failure is not None and news.failure.stopped
        far = self._far.get(order.run_id)
        if far is not None and (away := _brought(far)):
            self._fail(order, f"has not come back: {away}")
        elif not why:
            self._results[order.run_id] = far.here(news.value) if far else news.value
        elif not is_stopped:
            self._fail(order, f"failed: {why}")

    def _fail(self, order: Order, what: str) -> None:
        self._failures.append(f"seed {order.seed} (run {order.run_id[:10]}) {what}")

    def _tell(self, news: News) -> None:
        if news.key not in self._out:
            return
        order, *_ = self._out[news.key]
        if run := self._far.get(order.run_id):
            run.seen()
        if "dev_error" in news.facts:
            epoch, error = news.facts["epoch"], news.facts["dev_error"]
            _say(f"{self._label} seed {order.seed}: epoch {epoch}: dev {100 * error:.1f} %")

    def _tell_waiting(self) -> None:
        if not self._has_told:
            _say(f"{self._label}: other trainings have the workers; it waits for its turn")
            self._has_told = True

    def _stop(self) -> None:
        self._workers.stop()
        while self._out:
            for news in self._workers.wait(1.0):
                self._take(news)
        raise StoppedError("training stopped as asked; gapwise resume goes on with its runs")


def _brought(run: FarRun) -> str:
    """Have a run in the home that was trained far away; return why it is not, if so."""
    try:
        run.bring()
    except ServiceError as error:
        return f"{error}; gapwise resume {run.order.run_id[:10]} brings it then"
    return ""


def _end(turn: Turn | None) -> None:
    if turn is not None:
        turn.end()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
