"""The numeric plan: chosen once by measuring, then pinned with the run (DESIGN: Job)."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError
from gapwise.networks.base import count_parameters
from gapwise.records import Job, NumericPlan
from gapwise.training import distributed, faults
from gapwise.training.feeds import Batch, StreamFeed, memory_limit
from gapwise.training.job import make_learner
from gapwise.training.learner import Learner
from gapwise.training.numerics import device_of, under
from gapwise.training.order import cut
from gapwise.training.recipe import Recipe, read_recipe
from gapwise.training.stack import Stack, is_stackable
from gapwise.training.steps import Wanted

SHORT_SECONDS = 15.0
MEASURE_SHARE = 0.01
MARGIN = 0.95
MOST_EXAMPLES = 1024
"""Examples a plan is measured with, at most: a step of all examples may take minutes."""
FEWEST_STEPS = 3
"""Steps a plan is measured by, at least: one alone chose the slower of two on a busy machine."""

TOGETHER = (4, 16, 64)
"""Trials of a search that a job may hold."""
WORTH = 0.2
"""Share of the time that they must save by it."""
TRY_SECONDS = 0.2
MOST_WEIGHTS = 1_000_000
"""Weights of a network that is tried: what larger ones wait for is their own step."""
LONGEST_STEP = 0.02
"""Seconds of a step that is tried: in a longer one there is no wait between orders to be saved."""


def choose_plan(pipeline: Mapping[str, Any], prepared: Prepared) -> NumericPlan:
    """Return the plan under which a training is fastest on this machine.

    On a GPU: bf16 autocast and channels-last where it has bf16. On the CPU some steps are
    measured: plain float32 first; a training that this ends within ``SHORT_SECONDS`` keeps it, and
    a longer one tries channels-last and bf16 autocast for at most a hundredth of its time. Another
    plan must be 5 % faster to be taken.

    Raises:
        UsageError: the device that ``training.device`` names is not here.
    """
    training = pipeline["training"]
    device = _device(training["device"])
    plain = NumericPlan(
        device=device,
        threads=training["threads"] or max(1, available_cores() // distributed.on_this_machine()),
        compiled=training["compile"],
        fused=torch.device(device).type in ("cpu", "cuda"),
        processes=distributed.started(),
    )
    precision = training["precision"]
    if torch.device(device).type == "cpu":
        return _measured(pipeline, prepared, plain, precision)
    if precision == "auto":
        has_bf16 = torch.device(device).type == "cuda" and torch.cuda.is_bf16_supported()
        precision = "bfloat16" if has_bf16 else "float32"
    return replace(plain, dtype=precision, channels_last=_images(prepared))


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_together(
    pipeline: Mapping[str, Any], prepared: Prepared, plan: NumericPlan, asked: int | None = None
) -> NumericPlan:
    """Return ``plan``, or one whose jobs hold several trials of a search, where that is faster.

    Measured on this machine, in plain float32: a step of one trial under ``plan``, then of 4, 16
    and 64 of them together, as long as that is faster than alone. Sharing delays decisions, so it
    must save ``WORTH`` of the time. Large networks and long steps are left alone at once.

    Args:
        pipeline, prepared: what is searched.
        plan: of one training.
        asked: how many trials a job may hold; None measures.

    Raises:
        PipelineError: trials of such a network cannot share a job, though it was asked for.
    """
    if asked == 1:
        return plan
    recipe = read_recipe(pipeline, {})
    stacked = replace(plan, dtype="float32", channels_last=False)
    job = Job(pipeline=pipeline, data="", folder="", plan=stacked, seed=0, epochs=1)
    with under(plan), faults.told(recipe, plan.device, len(prepared.indices("train"))):
        fits = prepared.inputs.nbytes < memory_limit(torch.device(plan.device))
        fits = fits and pipeline["training"]["precision"] in ("auto", "float32")
        one = make_learner(recipe, prepared, job)
        if not (fits and is_stackable(one, recipe)):
            if asked is None:
                return plan
            raise PipelineError(
                f"search.together is {asked}, but trials of network {recipe.network['name']} as it "
                "is trained here cannot share a job (docs/search.md says which can); take it out"
            )
        if asked is not None:
            return replace(stacked, together=asked)
        if count_parameters(one.model) > MOST_WEIGHTS:
            return plan
        batch = _batch(recipe, prepared, plan.device)
        alone = _seconds_a_step(plan, pipeline, prepared, batch, TRY_SECONDS)
        if alone > LONGEST_STEP:
            return plan
        count = _fastest_together(partial(make_learner, recipe, prepared, job), batch, alone)
    return plan if count == 1 else replace(stacked, together=count)


def _fastest_together(make: Callable[[], Learner], batch: Batch, alone: float) -> int:
    """Return how many learners are stepped the fastest; 1 where that saves too little."""
    found = {1: alone * (1 - WORTH)}
    for count in TOGETHER:
        stack = Stack([make() for _ in range(count)])
        wanted = [Wanted(batch, 1.0, len(batch.positions), 0)] * count
        device = batch.positions.device
        found[count] = _fastest(partial(stack.step, wanted), device, TRY_SECONDS) / count
        if found[count] > alone:
            break
    return min(found, key=lambda count: found[count])


def _measured(
    pipeline: Mapping[str, Any], prepared: Prepared, plain: NumericPlan, precision: str
) -> NumericPlan:
    first, *others = _candidates(prepared, plain, precision)
    if plain.compiled or not others:
        return first
    recipe = read_recipe(pipeline, {})
    train = prepared.indices("train")
    batch = _batch(recipe, prepared, plain.device)
    best = _seconds_a_step(first, pipeline, prepared, batch, 0.1)
    # Steps of the measured size: those of the training may be larger.
    steps = recipe.epochs * len(train) / len(batch.positions)
    if best * steps < SHORT_SECONDS:
        return first
    budget = min(MEASURE_SHARE * best * steps, 10.0) / (1 + len(others))
    best, chosen = _seconds_a_step(first, pipeline, prepared, batch, budget), first
    for plan in others:
        seconds = _seconds_a_step(plan, pipeline, prepared, batch, budget)
        if seconds < MARGIN * best:
            best, chosen = seconds, plan
    return chosen


def _candidates(prepared: Prepared, plain: NumericPlan, precision: str) -> Iterator[NumericPlan]:
    for dtype in ("float32", "bfloat16"):
        if precision in ("auto", dtype):
            for channels_last in (False, True) if _images(prepared) else (False,):
                yield replace(plain, dtype=dtype, channels_last=channels_last)


def _batch(recipe: Recipe, prepared: Prepared, device: str) -> Batch:
    first, *_ = cut(prepared.indices("train"), recipe.batch_size)
    positions = [first[:MOST_EXAMPLES]]
    # Straight from the disk: all examples are not read for one batch.
    return next(StreamFeed(prepared, torch.device(device)).batches(positions))


def _seconds_a_step(
    plan: NumericPlan,
    pipeline: Mapping[str, Any],
    prepared: Prepared,
    batch: Batch,
    budget: float,
) -> float:
    """Return how long a step of one training takes."""
    job = Job(pipeline=pipeline, data="", folder="", plan=plan, seed=0, epochs=1)
    recipe, examples = read_recipe(pipeline, {}), len(prepared.indices("train"))
    with under(plan), faults.told(recipe, plan.device, examples):
        learner = make_learner(recipe, prepared, job)
        return _fastest(partial(learner.step, batch, 1.0), learner.device, budget)


def _fastest(step: Callable[[], Any], device: torch.device, budget: float) -> float:
    """Return the shortest seconds of the steps that fit into a budget, after one to warm up."""
    seconds: list[float] = []
    step()
    while len(seconds) < FEWEST_STEPS or sum(seconds) < budget:
        began = time.perf_counter()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _images(prepared: Prepared) -> bool:
    return len(prepared.input_shape) == 3


def _device(name: str) -> str:
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    return str(device_of(name))
