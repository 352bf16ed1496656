"""From a pipeline's section ``search`` to the plan of a search: checked knob by knob."""

import json
from collections.abc import Sequence
from typing import Any

from gapwise import pipeline_file
from gapwise.errors import PipelineError, did_you_mean, shown
from gapwise.overrides import is_part
from gapwise.pipeline import Pipeline
from gapwise.pipeline_search import Search, Searched
from gapwise.search.plan import RoundPlan, SearchPlan
from gapwise.search.region import WIDER, Limits
from gapwise.search.rungs import rung_epochs
from gapwise.search.space import Knob, Space, read_space
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.workflows.pipeline_values import MISSING, value_at
from gapwise.workflows.prepare import read

SEARCHABLE = ("network", "task", "training")
"""Sections whose knobs may be searched; those of the data would change what is learned from."""

_FIXED = ("training.epochs", "training.device", "training.precision", "training.threads")


def search_of(pipeline: Pipeline) -> Search:
    """Return what a pipeline says of its search; one without a space searches what matters most.

    That is the learning rate, then the batch size, and how long gradients are averaged (the tiers
    of notes 3.14).
    """
    section = pipeline.search or Search()
    return section if section.space else section.model_copy(update={"space": _default(pipeline)})


def plan_of(name: str, overrides: Sequence[str], pipeline: Pipeline, examples: int) -> SearchPlan:
    """Return the plan of the search of the pipeline ``name``.

    Args:
        name, overrides: what the pipeline was read from, so that each end of each knob is read as
            it would be in a run.
        pipeline: the pipeline as read.
        examples: what the trials' errors are measured on.

    Raises:
        PipelineError: a knob is not known or may not be searched, or the pipeline refuses a value
            of it.
    """
    section = search_of(pipeline)
    for key in section.space:
        _check_key(key)
    try:
        space = read_space({key: _with_parts(key, one) for key, one in section.space.items()})
    except ValueError as error:
        raise PipelineError(f"search.space: {error}") from None
    for knob in space.knobs:
        for value in _ends(knob):
            _check_value(name, overrides, knob.key, value)
    for at, one in enumerate(section.rounds):
        if one.tiers and not any(knob.tier in one.tiers for knob in space.knobs):
            told = ", ".join(map(str, one.tiers))
            raise PipelineError(
                f"search.rounds.{at}.tiers: no knob of the space is of tier {told}; tiers there "
                f"are {', '.join(map(str, sorted({knob.tier for knob in space.knobs})))}"
            )
    epochs = pipeline.training.epochs
    rungs = section.rungs
    return SearchPlan(
        space=space,
        rounds=tuple(
            RoundPlan(trials=one.trials, sampler=one.sampler, tiers=one.tiers)
            for one in section.rounds
        ),
        rungs=(epochs,) if rungs is None else rung_epochs(epochs, rungs.first, rungs.eta),
        eta=rungs.eta if rungs else 2,
        seed=section.seed,
        narrow=section.narrow,
        examples=examples,
        limits=_limits(name, overrides, space),
        given=(own_values(pipeline, space),),
    )


def own_values(pipeline: Pipeline, space: Space) -> dict[str, Any]:
    """Return what the pipeline itself has for each knob of the space."""
    resolved = pipeline_file.resolve(pipeline)
    found = {}
    for key in space.keys:
        value = value_at(resolved, key)
        if value is not MISSING:
            found[key] = value
    return found


def _with_parts(key: str, one: Searched) -> Searched:
    """Return a knob whose choices name parts as a resolved pipeline does: ``{name: cosine}``."""
    if not is_part(tuple(key.split("."))):
        return one
    named = tuple({"name": v} if isinstance(v, str) else v for v in one.choices)
    return one.model_copy(update={"choices": named})


def _default(pipeline: Pipeline) -> dict[str, Searched]:
    """Return the space of a pipeline that names none: its learning rate, batch size and β."""
    options = OPTIMIZERS.options(pipeline.training.optimizer.name)
    lr = pipeline.training.optimizer.options.get("lr", options["lr"].default)
    space = {"training.optimizer.lr": Searched(scale="log", low=lr / 10, high=lr * 10)}
    space["training.batch_size"] = Searched(scale="power-of-two", low=16, high=256, tier=2)
    for beta in ("beta", "beta1"):
        if beta in options:
            space[f"training.optimizer.{beta}"] = Searched(
                scale="one-minus-log", low=0.8, high=0.99, tier=2
            )
    return space


def _check_key(key: str) -> None:
    section = key.split(".")[0]
    if section not in SEARCHABLE or key in _FIXED:
        raise PipelineError(
            f"search.space: {shown(key)} cannot be searched; knobs of network, task and training "
            f"can, but not {', '.join(_FIXED)}"
            + ("" if section in SEARCHABLE else f": {did_you_mean(section, SEARCHABLE)}")
        )


def _ends(knob: Knob) -> tuple[Any, ...]:
    return knob.choices if knob.scale is None else (knob.at(0.0), knob.at(1.0))


def _check_value(name: str, overrides: Sequence[str], key: str, value: Any) -> None:
    try:
        read(name, (*overrides, f"{key}={json.dumps(value)}"))
    except PipelineError as error:
        raise PipelineError(
            f"search.space: {shown(key)} cannot be {shown(value)}: {error}"
        ) from None


def _limits(name: str, overrides: Sequence[str], space: Space) -> Limits:
    """Return how far each range may be widened: no further than the pipeline takes its values."""
    ends = {}
    for knob in space.knobs:
        if knob.scale is None:
            continue
        low, high = 0.0, 1.0
        if _takes(name, overrides, knob, -WIDER):
            low = -WIDER
        if _takes(name, overrides, knob, 1 + WIDER):
            high = 1 + WIDER
        ends[knob.key] = (low, high)
    return Limits(ends=ends)


def _takes(name: str, overrides: Sequence[str], knob: Knob, place: float) -> bool:
    try:
        read(name, (*overrides, f"{knob.key}={json.dumps(knob.at(place))}"))
    except PipelineError:
        return False
    return True
