"""Whole trainings on workers that share no folder with the driver: a run goes there and back by way
of a store (see ``shared_store``), with all that its folder holds.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from gapwise import pipeline_file
from gapwise.data import prepared as prepared_data
from gapwise.records import JobResult
from gapwise.settings import Settings
from gapwise.workers.base import Context
from gapwise.workflows import job_file
from gapwise.workflows.far_jobs import SendNowAndThen
from gapwise.workflows.hide_secrets import hide_secrets
from gapwise.workflows.seed_run import Batch, taken_up, work
from gapwise.workflows.shared_store import SharedStore

_DATA: Final = "prepared"


@dataclass(frozen=True, kw_only=True)
class FarOrder:
    """One training: a value that a worker anywhere can carry out.

    Attributes:
        batch: the fields of a ``Batch`` without its data, which lies elsewhere there.
        store: the store's address.
        data: the key of the data in it.
    """

    batch: Mapping[str, Any]
    seed: int
    run_id: str
    store: str
    data: str


def order_far(batch: Batch, seed: int, run_id: str, settings: Settings) -> FarOrder:
    """Return the order of one seed, once its data is in the store.

    Raises:
        ServiceError: the store does not answer.
    """
    data = f"data/{batch.prepared.digest}"
    SharedStore(settings.shared).send_once(batch.prepared.folder, data)
    there = {one.name: getattr(batch, one.name) for one in fields(batch) if one.name != _DATA}
    return FarOrder(batch=there, seed=seed, run_id=run_id, store=settings.shared, data=data)


def train_far(order: FarOrder, context: Context) -> JobResult:
    """Train on a worker, from what an attempt before this one sent.

    Raises:
        StoppedError: the worker was asked to stop.
        ServiceError: the store does not answer.
        GapwiseError: as a training in this process.
    """
    store, settings = SharedStore(order.store), Settings.read()
    folder = store.fetch_once(order.data, settings.cache / "far" / order.data)
    batch = Batch(prepared=prepared_data.open(folder), **order.batch)
    pipeline_file.reveal(pipeline_file.resolve(batch.pipeline))
    hide_secrets(batch.prepared)
    with tempfile.TemporaryDirectory(prefix="gapwise-") as scratch:
        home = Path(scratch)
        # The driver sends the run to the tracking store, once it is back.
        there = replace(
            settings, home=home, tracking_uri=f"sqlite:///{home / 'mlflow.db'}", mirror=False
        )
        run = there.runs / order.run_id
        store.fetch_tree(_key(order.run_id), run)
        send = partial(store.send_tree, run, _key(order.run_id))
        heard = [SendNowAndThen(send)]
        try:
            writer, job = taken_up(batch, order.seed, there, order.run_id)
            with writer:
                return work(writer, job, batch.prepared, force=False, context=context, heard=heard)
        finally:
            send()


def bring_run(batch: Batch, run_id: str, settings: Settings) -> None:
    """Have a run that was trained far away in the home, as one that was trained here.

    Raises:
        ServiceError: the store does not answer.
    """
    store, folder = SharedStore(settings.shared), settings.runs / run_id
    store.fetch_tree(_key(run_id), folder)
    if (folder / job_file.NAME).is_file():
        job = job_file.read_job(folder)
        job_file.write_job(folder, replace(job, data=str(batch.prepared.folder)))
    store.remove_tree(_key(run_id))


def brought(result: JobResult, run_id: str, settings: Settings) -> JobResult:
    """Return a result whose checkpoints are those of the home."""
    folder = settings.runs / run_id / "checkpoints"
    named = (result.best_checkpoint, result.last_checkpoint)
    best, last = (str(folder / Path(path).name) for path in named)
    return replace(result, best_checkpoint=best, last_checkpoint=last)


def _key(run_id: str) -> str:
    return f"trainings/{run_id}"
