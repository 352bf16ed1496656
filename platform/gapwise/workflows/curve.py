"""Would more data help? Train a pipeline on growing subsets and forecast what more would give."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gapwise import pipeline_file
from gapwise.data.prepared import Prepared
from gapwise.diagnostics.learning_curve import learning_curve
from gapwise.errors import DataError, UsageError, shown
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.training.plan import choose_plan
from gapwise.workflows.curve_runs import CurveRuns, train_curve
from gapwise.workflows.curve_store import Curves, Variant, keep
from gapwise.workflows.hide_secrets import hide_secrets
from gapwise.workflows.prepare import ready
from gapwise.workflows.seed_run import Batch
from gapwise.workflows.train import started

SIZES = 6
"""Sizes by default: the whole training set, halved again and again."""

SMALLEST = 10
"""Fewer training examples than this tell nothing of a curve, and some networks cannot take them."""

ARTIFACT = "learning_curve.json"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to train.

    Attributes:
        sizes: counts of training examples, or shares of them where below 1; empty: the default.
        seeds: seeds a size.
        variants: further curves, each by its overrides.
    """

    sizes: tuple[float, ...] = ()
    seeds: int = 3
    variants: tuple[tuple[str, ...], ...] = ()


def curve(
    name: str,
    overrides: Sequence[str] = (),
    wanted: Wanted | None = None,
    *,
    settings: Settings | None = None,
) -> Curves:
    """Train the pipeline ``name`` on growing subsets, keep and return its learning curve.

    What an earlier call trained is not trained again. Runs are filed under the experiment
    ``<name>-curve``; the last curve of a pipeline is read by ``curve_store.latest``.

    Raises:
        UsageError: a size is too small, or beyond the training set.
        PipelineError, DataError, StorageError, TrainingError: as in training.
        StoppedError: a signal asked to stop; called again, it goes on.
    """
    settings, wanted = settings or Settings.read(), wanted or Wanted()
    changes = ((), *wanted.variants)
    batches = [_batch(name, (*overrides, *change), wanted, settings) for change in changes]
    sizes = [_sizes(batch.prepared, wanted.sizes) for batch in batches]
    found = [train_curve(batch, own, settings) for batch, own in zip(batches, sizes, strict=True)]
    curves = Curves(
        pipeline=batches[0].pipeline.name,
        dataset=batches[0].prepared.name,
        data_digest=batches[0].prepared.digest,
        seeds=batches[0].seeds,
        variants=tuple(
            _variant(" ".join(change), batch, runs)
            for change, batch, runs in zip(changes, batches, found, strict=True)
        ),
        trained=sum(runs.trained for runs in found),
        reused=sum(len(ids) for runs in found for ids in runs.run_ids.values())
        - sum(runs.trained for runs in found),
    )
    _log(curves, keep(settings, curves), settings)
    return curves


def _batch(name: str, overrides: Sequence[str], wanted: Wanted, settings: Settings) -> Batch:
    start = ready(name, settings, overrides)
    hide_secrets(start.prepared)
    pipeline, weights = started(start, settings)
    return Batch(
        pipeline=pipeline,
        prepared=start.prepared,
        start=weights,
        plan=choose_plan(pipeline_file.resolve(pipeline), start.prepared),
        seeds=tuple(range(pipeline.seed, pipeline.seed + wanted.seeds)),
        group=None,
        run_name=None,
        root=str(Path.cwd()),
    )


def _sizes(prepared: Prepared, wanted: Sequence[float]) -> list[int]:
    """Return the sizes to train on, rising.

    Raises:
        UsageError: one is too small or too large.
        DataError: the training set itself is too small.
    """
    whole = len(prepared.indices("train"))
    if whole < 2 * SMALLEST:
        raise DataError(
            f"the training set of {prepared.name} has {whole} examples; a learning curve needs at "
            f"least {2 * SMALLEST}: give more of the data to training (splits)"
        )
    for given in wanted:
        if not math.isfinite(given):
            raise UsageError(
                f"--sizes: {given:g} is no count; name counts up to {whole:,}, or shares below 1"
            )
    sizes = [round(size * whole) if size < 1 else round(size) for size in wanted]
    for size, given in zip(sizes, wanted, strict=True):
        if not SMALLEST <= size <= whole:
            few = f"few: a size has at least {SMALLEST} of the"
            many = f"many: there are {whole:,}"
            raise UsageError(
                f"--sizes: {given:g}{_beside(size, given)} is too {few if size < whole else many} "
                f"training examples of {shown(prepared.name)}; name counts up to {whole:,}, or "
                "shares below 1"
            )
    halved = [whole >> step for step in range(SIZES)]
    return sorted(set(sizes or [size for size in halved if size >= SMALLEST]))


def _beside(size: int, given: float) -> str:
    """Return what a share of the training set comes to."""
    return "" if size == given else f" ({size:,} examples)"


def _variant(name: str, batch: Batch, runs: CurveRuns) -> Variant:
    return Variant(
        name=name,
        pipeline=pipeline_file.resolve(batch.pipeline),
        curve=learning_curve(runs.measured, delta=batch.pipeline.diagnosis.delta),
        run_ids=runs.run_ids,
    )


def _log(curves: Curves, file: Path, settings: Settings) -> None:
    """Keep the curve with the first run of the largest size too, where it is new and is here."""
    store = RunStore(settings)
    run_ids = curves.variants[0].run_ids
    run = store.open(run_ids[max(run_ids)][0])
    if run.folder is None or (not curves.trained and (run.folder / ARTIFACT).is_file()):
        return
    with store.reopen(run.run_id) as writer:
        (writer.folder / ARTIFACT).write_bytes(file.read_bytes())
        writer.log_file(writer.folder / ARTIFACT)
        writer.finish("FINISHED")
