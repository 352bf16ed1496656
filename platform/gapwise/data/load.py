"""The whole data half of a training: read, draw, check for duplicates, synthesize, write."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from gapwise.data import prepared
from gapwise.data.assignment import Assignment
from gapwise.data.base import DATASETS, SYNTHESIS, ReadContext
from gapwise.data.checks import check_examples, check_quarantine
from gapwise.data.duplicates import resolve
from gapwise.data.keyed import seed_of
from gapwise.data.relabel import relabelled
from gapwise.data.splits import assign
from gapwise.data.synthesize import Synthesis, synthesize
from gapwise.ids import one_spelling
from gapwise.pipeline import Pipeline, Splits
from gapwise.pipeline_file import check_options
from gapwise.records import ExampleSet
from gapwise.settings import Settings

LabelsOf = Callable[[str], Mapping[str, str]]
"""Dataset → example → label, at the revision that a pipeline names."""


def prepare(
    pipeline: Pipeline, settings: Settings, root: Path, labels: LabelsOf | None = None
) -> prepared.Prepared:
    """Return the prepared data of a pipeline, written once for each content.

    Args:
        pipeline: a validated pipeline.
        settings: where datasets and the cache are.
        root: the folder that relative paths of the pipeline refer to.
        labels: gives the labels of the revision that the pipeline names; None for none.

    Raises:
        DataError: the data cannot be read, too much of it is bad, splits ask for more than there
            is, or equal inputs stand in several splits.
        PipelineError: a dataset, a synthesizer or an option of one is not known.
    """
    examples = read(pipeline, settings, root)
    assignment = resolve(examples, draw(pipeline, examples, root), pipeline.data.duplicates)
    if labels is not None and isinstance(pipeline.data.labels, int):
        # After the splits are drawn: a corrected label moves no example.
        examples = relabelled(examples, labels(examples.name), pipeline.data.labels)
    examples, assignment = _synthesized(pipeline, settings, root, (examples, assignment))
    folder = folder_of(settings.cache, _folder_name(examples, assignment))
    return prepared.write(folder, examples, assignment)


def folder_of(cache: Path, name: str) -> Path:
    """Return where prepared data of that name, which tells its content, lies."""
    return cache / "prepared" / name


def read(pipeline: Pipeline, settings: Settings, root: Path) -> ExampleSet:
    """Read a pipeline's dataset and check what it gave.

    Raises:
        DataError: it cannot be read, or too much of it is bad.
        PipelineError: the dataset or an option of it is not known.
    """
    part = pipeline.data.dataset
    options = check_options(DATASETS, part, "data.dataset")
    context = ReadContext(
        settings=settings,
        root=root,
        seed=pipeline.splits.seed,
        max_quarantine=pipeline.data.max_quarantine,
    )
    examples = DATASETS.get(part.name)(context, **options)
    examples = replace(examples, ids=one_spelling(examples.ids))
    check_quarantine(examples.quarantine, len(examples), context.max_quarantine, examples.name)
    check_examples(examples)
    return examples


def draw(pipeline: Pipeline, examples: ExampleSet, root: Path) -> Assignment:
    """Draw the splits of a pipeline, duplicates not yet resolved.

    A file of cuts is sought from ``root``.

    Raises:
        DataError: splits ask for more than there is.
    """
    return assign(examples, _rooted(pipeline.splits, root))


def _folder_name(examples: ExampleSet, assignment: Assignment) -> str:
    """Return a name for the content and where it came from: both are kept in the folder."""
    digest = prepared.digest_of(examples, assignment)
    place = seed_of(examples.media_root, sorted(examples.snapshot.items()))
    return f"{digest[:40]}-{place:016x}"


def _rooted(splits: Splits, root: Path) -> Splits:
    if splits.cuts is None:
        return splits
    return splits.model_copy(update={"cuts": str(root / splits.cuts)})


def _synthesized(
    pipeline: Pipeline, settings: Settings, root: Path, drawn: tuple[ExampleSet, Assignment]
) -> tuple[ExampleSet, Assignment]:
    part = pipeline.data.synthesize
    if part is None:
        return drawn
    options = check_options(SYNTHESIS, part, "data.synthesize")
    synthesis = Synthesis(
        name=part.name,
        make=partial(SYNTHESIS.get(part.name), **options),
        root=root,
        scratch=settings.cache / "scratch",
    )
    return synthesize(*drawn, synthesis)
