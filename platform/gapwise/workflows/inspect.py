"""`gapwise data` and `gapwise split`: what a person should see before anything trains."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gapwise.data import load
from gapwise.data.assignment import Assignment
from gapwise.data.cuts import save_cuts
from gapwise.data.duplicates import resolve
from gapwise.data.report import DataReport, summary
from gapwise.errors import UsageError
from gapwise.pipeline import Pipeline
from gapwise.records import ExampleSet, plain
from gapwise.settings import Settings
from gapwise.workflows import data_tables, prepare, split_tables
from gapwise.workflows.augmented import augmented_samples
from gapwise.workflows.samples import pictures


def inspect_data(
    name: str, overrides: Sequence[str] = (), settings: Settings | None = None
) -> Mapping[str, Any]:
    """Return what a pipeline's data holds, as plain values.

    The fields of ``data.report.DataReport``, with ``lines`` and ``tables`` (``title``, ``columns``,
    ``rows``) of it for people, and ``samples``: ``title`` and ``pixels`` of some small pictures;
    ``augmented`` of some as training changes them.

    Raises:
        PipelineError: the pipeline is wrong.
        DataError: the data is missing, wrong, or more of it is bad than is allowed.
    """
    pipeline, examples, assignment = _drawn(name, overrides, settings)
    report = summary(examples, assignment)
    facts: dict[str, Any] = plain(asdict(report))
    return facts | {
        "lines": [*data_tables.lines(report), *_what_training_does(report, pipeline)],
        "tables": data_tables.tables(report, examples),
        "samples": pictures(examples, report.samples),
        "augmented": augmented_samples(examples, assignment.indices("train"), pipeline),
    }


def inspect_split(
    name: str,
    overrides: Sequence[str] = (),
    save: Path | None = None,
    settings: Settings | None = None,
) -> Mapping[str, Any]:
    """Return who trains, decides and judges, and what these sizes can tell apart.

    Args:
        name: the pipeline.
        overrides: dotted overrides.
        save: a file for the cuts, which ``splits.cuts`` then names.
        settings: where datasets and caches are.

    Raises:
        PipelineError: the pipeline is wrong.
        DataError: the data is wrong, or the splits ask for more than there is.
        UsageError: ``save`` is there already.
        StorageError: ``save`` cannot be written.
    """
    if save is not None and save.exists():
        raise UsageError(
            f"{save} is there already and may pin other runs' splits; name another file with --save"
        )
    pipeline, examples, assignment = _drawn(name, overrides, settings)
    if pipeline.data.duplicates == "drop":
        assignment = resolve(examples, assignment, "drop")
    report = summary(examples, assignment)
    lines = [*split_tables.lines(pipeline, report), *_what_training_does(report, pipeline)]
    if save is not None:
        save_cuts(save, assignment)
        lines.append(f"Wrote the cuts to {save}; pin them with splits.cuts: {save}")
    return {
        "dataset": report.name,
        "n": report.n,
        "target": pipeline.splits.target,
        "splits": plain(report.sources_by_split),
        "classes": plain(report.classes_by_split),
        "digest": assignment.digest,
        "lines": lines,
        "tables": split_tables.tables(report),
    }


def _drawn(
    name: str, overrides: Sequence[str], settings: Settings | None
) -> tuple[Pipeline, ExampleSet, Assignment]:
    pipeline = prepare.read(name, overrides)
    examples = load.read(pipeline, settings or Settings.read(), Path.cwd())
    return pipeline, examples, load.draw(pipeline, examples, Path.cwd())


def _what_training_does(report: DataReport, pipeline: Pipeline) -> list[str]:
    says = _duplicates(report, pipeline)
    if pipeline.data.synthesize is not None:
        says.append(
            f"Training adds synthesized copies ({pipeline.data.synthesize.name}) of train and "
            "train-dev; they are not counted here."
        )
    return says


def _duplicates(report: DataReport, pipeline: Pipeline) -> list[str]:
    found, policy = report.duplicates, pipeline.data.duplicates
    says = ["No input stands in more than one split."]
    if found.count:
        effects = {
            "stop": "training stops here: set data.duplicates to drop or allow",
            "drop": f"{found.examples} of their examples are taken out (data.duplicates: drop)",
            "allow": "they are allowed (data.duplicates: allow), and flatter the errors",
        }
        says = [
            f"DUPLICATES: {found.count} inputs stand in more than one split; {effects[policy]}."
        ]
    if found.near.count:
        says.append(
            f"{found.near.count} of {found.near.looked_at} judging pictures nearly equal one of "
            "train; look at them below."
        )
    return says
