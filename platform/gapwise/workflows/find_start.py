"""Where a training starts from (``transfer.start``): found, and compared with what it is to train.

A start is a pipeline (its latest finished run), a run, or a file of weights.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import torch

from gapwise import pipeline_file
from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError, StorageError, UsageError, redacted, shown
from gapwise.networks.base import NETWORKS
from gapwise.pipeline import Pipeline
from gapwise.pipeline_parts import Part
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.training.freezing import check_can_precompute, freeze
from gapwise.training.job import model_spec
from gapwise.training.model import Model
from gapwise.training.recipe import read_recipe
from gapwise.training.start_weights import check_fits
from gapwise.workflows import job_file
from gapwise.workflows.start_weights import StartWeights, of_file, of_model
from gapwise.workflows.trained_run import open_trained

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
"""Endings of a file of weights."""

TrainFirst = Callable[[str], str]
"""Trains a pipeline by name and gives the run's id."""


def find_start(pipeline: Pipeline, settings: Settings, train_first: TrainFirst) -> StartWeights:
    """Return the weights that ``pipeline.transfer`` starts from, and say whose they are.

    Raises:
        PipelineError: the start is neither a run nor a pipeline nor a file, or leads in a circle.
        UsageError: it means more than one run, or one without a network here.
        StorageError: its weights cannot be read.
    """
    transfer = pipeline.transfer
    assert transfer is not None  # who asks has looked
    if transfer.start.endswith(SUFFIXES):
        path = Path.cwd() / transfer.start
        return of_file(path, pipeline.network.name, transfer.start)
    run_id = _run(transfer.start, pipeline, settings, train_first)
    trained = open_trained(run_id, settings)
    name = RunStore(settings).open(run_id).name
    _say(f"transfer.start: the best network of run {name} ({run_id[:12]})")
    try:
        feature_names = trained.prepared().feature_names
    except StorageError:  # its data has left the cache; the weights are here
        feature_names = ()
    return of_model(trained.model, run_id, feature_names)


def check_start(start: StartWeights, pipeline: Pipeline, prepared: Prepared) -> None:
    """Refuse weights that do not fit the network or the data, before there is a run.

    Raises:
        PipelineError: says what is missing, too much or different.
    """
    recipe = read_recipe(pipeline_file.resolve(pipeline), {})
    assert recipe.transfer is not None
    # Without memory for its weights: shapes and names alone are compared.
    with torch.device("meta"):
        model = Model(model_spec(recipe, prepared))
    _check_columns(start, prepared)
    if recipe.transfer.head == "keep":
        _check_classes(start, prepared)
    check_fits(model, start.tensors, recipe.transfer)
    if recipe.transfer.train_last is not None:
        freeze(model, recipe.transfer.train_last)
    if recipe.transfer.precompute:
        check_can_precompute(model)
    _say_what_differs(start, pipeline.network)


def _run(ref: str, pipeline: Pipeline, settings: Settings, train_first: TrainFirst) -> str:
    """Return the id of the run that ``ref`` means."""
    try:
        start = pipeline_file.load(ref)
    except PipelineError as error:
        return _named_run(ref, settings, error)
    found = _latest_finished(start.name, settings)
    if found is not None:
        return found
    _check_circle(pipeline, start)
    _say(f"transfer.start: pipeline {start.name} has no finished run here; it is trained first")
    return train_first(ref)


def _named_run(ref: str, settings: Settings, no_pipeline: PipelineError) -> str:
    store = RunStore(settings)
    try:
        return store.open(ref).run_id
    except UsageError as error:
        raise PipelineError(
            f"transfer.start is {shown(ref)!r}, which names no run ({error}) and no pipeline "
            f"({no_pipeline}); a file of weights ends in {', '.join(SUFFIXES)}"
        ) from error


def _latest_finished(experiment: str, settings: Settings) -> str | None:
    """Return the newest finished run of a pipeline that has a network here."""
    store = RunStore(settings)
    rows = store.rows(experiment)
    trained = rows[(rows["status"] == "FINISHED") & (rows["kind"] == "train")]
    for run_id in trained["run_id"]:
        folder = store.open(str(run_id)).folder
        if folder is not None and (folder / job_file.NAME).is_file():
            return str(run_id)
    return None


def _check_circle(pipeline: Pipeline, start: Pipeline) -> None:
    """Refuse pipelines that start from one another, none of which has a run."""
    seen = [pipeline.name, start.name]
    while start.transfer is not None and len(set(seen)) == len(seen):
        try:
            start = pipeline_file.load(start.transfer.start)
        except PipelineError:  # a run or a file: there it begins
            return
        seen.append(start.name)
    if len(set(seen)) < len(seen):
        raise PipelineError(
            f"transfer.start goes in a circle: {' → '.join(seen)}; let one of them start from a "
            "run or a file, or with transfer=null"
        )


def _check_classes(start: StartWeights, prepared: Prepared) -> None:
    labels, ours = start.labels, prepared.labels
    if labels is not None and (labels.kind, labels.classes) != (ours.kind, ours.classes):
        theirs = {name for names in labels.classes for name in names}
        other = sorted(theirs ^ {name for names in ours.classes for name in names})
        told = f" ({', '.join(map(shown, other[:5]))})" if other else ", in another order"
        raise PipelineError(
            f"transfer.head is keep, but the start tells {labels.told} and dataset {prepared.name} "
            f"has {ours.told}{told}; set transfer.head=replace"
        )


def _check_columns(start: StartWeights, prepared: Prepared) -> None:
    names = start.feature_names
    if names and names != prepared.feature_names:
        other = sorted(set(names) ^ set(prepared.feature_names))
        told = f"{', '.join(map(shown, other[:5]))}" if other else "the same in another order"
        raise PipelineError(
            f"transfer.start was trained on {len(names)} columns that are not the "
            f"{len(prepared.feature_names)} of dataset {prepared.name} ({told}); start from a run "
            "on the same columns"
        )


def _say_what_differs(start: StartWeights, network: Part) -> None:
    """Tell options that may change what the same weights compute."""
    if start.network.get("name") != network.name:
        return
    fixed = ("input_shape", "outputs")
    there = pipeline_file.check_options(NETWORKS, Part(**start.network), "network", fixed)
    here = pipeline_file.check_options(NETWORKS, network, "network", fixed)
    changed = [f"{key} {there[key]} → {here[key]}" for key in here if here[key] != there[key]]
    if changed:
        _say(f"transfer.start: network {network.name} has other options: {', '.join(changed)}")


def _say(sentence: str) -> None:
    sys.stderr.write(redacted(sentence) + "\n")
