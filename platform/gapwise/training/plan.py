"""The numeric plan: chosen once by measuring, then pinned with the run (DESIGN: Job)."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch

from gapwise.data.prepared import Prepared
from gapwise.records import Job, NumericPlan
from gapwise.training import distributed, faults
from gapwise.training.feeds import Batch, StreamFeed
from gapwise.training.job import make_learner
from gapwise.training.numerics import device_of, under
from gapwise.training.order import cut
from gapwise.training.recipe import Recipe, read_recipe

SHORT_SECONDS = 15.0
MEASURE_SHARE = 0.01
MARGIN = 0.95
MOST_EXAMPLES = 1024
"""Examples a plan is measured with, at most: a step of all examples may take minutes."""
FEWEST_STEPS = 3
"""Steps a plan is measured by, at least: one alone chose the slower of two on a busy machine."""


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


def _measured(
    pipeline: Mapping[str, Any], prepared: Prepared, plain: NumericPlan, precision: str
) -> NumericPlan:
    first, *others = _candidates(prepared, plain, precision)
    if plain.compiled or not others:
        return first
    recipe = read_recipe(pipeline, {})
    train = prepared.indices("train")
    batch = _batch(recipe, prepared)
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


def _batch(recipe: Recipe, prepared: Prepared) -> Batch:
    first, *_ = cut(prepared.indices("train"), recipe.batch_size)
    positions = [first[:MOST_EXAMPLES]]
    # Straight from the disk: all examples are not read for one batch.
    return next(StreamFeed(prepared, torch.device("cpu")).batches(positions))


def _seconds_a_step(
    plan: NumericPlan,
    pipeline: Mapping[str, Any],
    prepared: Prepared,
    batch: Batch,
    budget: float,
) -> float:
    """Return the shortest of the steps that fit into ``budget`` seconds, after one to warm up."""
    job = Job(pipeline=pipeline, data="", folder="", plan=plan, seed=0, epochs=1)
    recipe, examples = read_recipe(pipeline, {}), len(prepared.indices("train"))
    seconds: list[float] = []
    with under(plan), faults.told(recipe, plan.device, examples):
        learner = make_learner(recipe, prepared, job)
        learner.step(batch, 1.0)
        while len(seconds) < FEWEST_STEPS or sum(seconds) < budget:
            began = time.perf_counter()
            learner.step(batch, 1.0)
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
