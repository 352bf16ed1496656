"""Run a job: deterministic, and idempotent, so that a lost job is simply run again."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from gapwise.data import prepared as prepared_data
from gapwise.data.prepared import Prepared
from gapwise.errors import DataError, PipelineError, StorageError, UsageError
from gapwise.inputs import TOLD
from gapwise.networks.base import NETWORKS
from gapwise.networks.word_vectors import takes_words
from gapwise.records import Job, JobResult, plain
from gapwise.tasks.base import TASKS
from gapwise.training import faults
from gapwise.training.callbacks import Callback, Refused
from gapwise.training.checkpoints import CheckpointStore, Saved, read_checkpoint
from gapwise.training.distributed import started, together, world
from gapwise.training.draws import key, seed_generators
from gapwise.training.identity import check_same, identity
from gapwise.training.initializers.base import INITIALIZERS, initialize
from gapwise.training.learner import Learner, thaw_if_due
from gapwise.training.loop import Loop
from gapwise.training.model import Model, ModelSpec
from gapwise.training.numerics import under
from gapwise.training.order import cut
from gapwise.training.progress import Progress
from gapwise.training.recipe import Recipe, build, read_recipe
from gapwise.training.schedules.base import SCHEDULES
from gapwise.training.start_weights import begin, check_start
from gapwise.training.supply import Supply, open_supply


def run_job(
    job: Job,
    callbacks: Sequence[Callback] = (),
    *,
    should_stop: Callable[[], bool] = lambda: False,
    force: bool = False,
) -> JobResult:
    """Train until ``job.epochs`` are done, from the newest good checkpoint in ``job.folder``.

    A job that is done already trains nothing and gives the same result. The metrics and weights of
    a training that was stopped, killed and resumed are those of one that was not, to the bit on the
    CPU, under one numeric plan. Reads train and dev alone.

    Args:
        job: what to train, on what, and where to keep it.
        callbacks: who listens.
        should_stop: asked after each step; a true answer saves a checkpoint and stops.
        force: go on from a checkpoint that was trained otherwise (from its last whole epoch).

    Raises:
        StoppedError: ``should_stop`` said so.
        TrainingError: a loss is not finite, or the device's memory does not suffice.
        UsageError: the checkpoint was trained otherwise, or the plan's device or processes are not
            here.
        PipelineError: a part or an option is not known, or the network does not fit the data.
        DataError: there is nothing to train on, or no dev split to choose by.
        StorageError: a checkpoint cannot be saved.
    """
    recipe = read_recipe(job.pipeline, job.parameters)
    prepared = prepared_data.open(Path(job.data))
    examples = len(prepared.indices("train"))
    job = _with_processes(job, force)
    sharing = together(job, force)
    with sharing, under(job.plan), faults.told(recipe, job.plan.device, examples):
        loop = prepare(job, recipe, prepared, callbacks, force=force)
        loop.should_stop = should_stop
        loop.begin()
        loop.run()
    return loop.end()


def _with_processes(job: Job, force: bool) -> Job:
    """Return the job for the processes that are here; by force, where its plan has others."""
    if job.plan.processes != started() and not force:
        wanted = job.plan.processes
        how = f"torchrun --nproc-per-node {wanted} -m gapwise" if wanted > 1 else "gapwise"
        raise UsageError(
            f"this training's numeric plan has {wanted} processes, but {started()} are here, which "
            f"add up in another order; go on with `{how} resume RUN`, or with --force"
        )
    return replace(job, plan=replace(job.plan, processes=started()))


def make_learner(recipe: Recipe, prepared: Prepared, job: Job) -> Learner:
    """Return a new learner whose first weights are a function of the job's seed and start."""
    seed_generators(key("weights", job.seed), torch.device("cpu"))
    model = Model(model_spec(recipe, prepared))
    _check_words(model, prepared)
    if recipe.initializer is not None:
        initialize(model.network, build(INITIALIZERS, recipe.initializer))
    model.set_normalisation(*prepared.normalisation)
    if recipe.transfer is not None:
        begin(model, recipe.transfer, job)
    return Learner(model, recipe, job.plan)


def _check_compares(job: Job, recipe: Recipe) -> None:
    """Refuse what does not go with comparing examples."""
    name = recipe.task["name"]
    if world().size > 1:
        raise PipelineError(
            f"task {name} compares the examples of a batch, which several processes would tear "
            "apart; train it in one"
        )
    if job.pipeline.get("prediction", {}).get("crops", 1) > 1:
        raise PipelineError(
            f"prediction.crops is {job.pipeline['prediction']['crops']}, but task {name} chooses "
            "its threshold by whole pictures, whose distances are others; set it to 1"
        )


def _check_words(model: Model, prepared: Prepared) -> None:
    """Refuse a network that looks up words where there are none, or takes words for numbers."""
    wanted, has = takes_words(model.network), prepared.kind == "words"
    if wanted != has:
        name = model.spec.network["name"]
        mend = (
            "take network.words out"
            if wanted
            else "set network.words, the numbers of a word's vector (100, say), of network: "
            + " or ".join(name for name, _ in NETWORKS if "words" in NETWORKS.options(name))
        )
        raise PipelineError(
            f"network {name} reads {'words' if wanted else 'numbers'}, but {prepared.name} holds "
            f"{TOLD[prepared.kind]}; {mend}"
        )


def model_spec(recipe: Recipe, prepared: Prepared) -> ModelSpec:
    """Return what a model of ``recipe`` for ``prepared`` is made from."""
    labels, targets = prepared.labels, prepared.targets[prepared.indices("train")]
    return ModelSpec(
        network=recipe.network,
        task=recipe.task,
        input_shape=prepared.input_shape,
        labels=labels,
        fitted=build(TASKS, recipe.task).fit(labels, targets),
    )


def prepare(
    job: Job,
    recipe: Recipe,
    prepared: Prepared,
    callbacks: Sequence[Callback],
    *,
    force: bool = False,
    supply: Supply | None = None,
) -> Loop:
    """Return the training of a job, where its newest good checkpoint left it.

    Args:
        job, callbacks, force: as ``run_job``.
        recipe, prepared: read from the job.
        supply: of its batches; None opens its own.

    Raises:
        UsageError, PipelineError, DataError, StorageError: as ``run_job``.
    """
    for split in ("train", "dev"):
        if not len(prepared.indices(split)):
            raise DataError(
                f"split {split} of {prepared.name} is empty; training needs it: change splits"
            )
    check_start(recipe.transfer, job)
    learner = make_learner(recipe, prepared, job)
    if learner.model.task.compares:
        _check_compares(job, recipe)
    steps = len(cut(prepared.indices("train"), recipe.batch_size))
    progress = Progress(steps, learner.device)
    store = CheckpointStore(Path(job.folder))
    now = identity(job, recipe, prepared)
    saved = _newest_good(store, now, callbacks, force)
    if saved is not None:
        thaw_if_due(learner, recipe.transfer, len(saved.values["history"]) + 1)
        _restore(saved, learner, progress)
    return Loop(
        job=job,
        recipe=recipe,
        prepared=prepared,
        supply=supply or open_supply(recipe, prepared, job.seed, learner.device),
        learner=learner,
        schedule=build(SCHEDULES, recipe.schedule),
        progress=progress,
        store=store,
        facts={"identity": now, "model": plain(asdict(learner.model.spec))},
        callbacks=callbacks,
    )


def _newest_good(
    store: CheckpointStore, now: dict[str, Any], callbacks: Sequence[Callback], force: bool
) -> Saved | None:
    """Return the newest checkpoint that is whole, as is the best one that it names."""
    for path in store.newest_first():
        try:
            saved = read_checkpoint(path)
            if saved.values["best"] is not None:
                read_checkpoint(store.path(saved.values["best"]))
        except StorageError as error:
            for callback in callbacks:
                callback.on_refused(Refused(path=path, reason=str(error)))
            continue
        if not force:
            check_same(saved.values["identity"], now, str(store.folder))
        elif saved.values["step"] and saved.values["identity"] != now:
            # Another order or batch size: the rest of that epoch cannot be known.
            continue
        return saved
    return None


def _restore(saved: Saved, learner: Learner, progress: Progress) -> None:
    try:
        learner.restore(saved.tensors)
    except RuntimeError as error:
        raise UsageError(
            f"checkpoint {saved.path} does not fit the network: {error}; start a new run"
        ) from error
    progress.restore(saved.values, saved.tensors)
