"""Record predictions that were made elsewhere: from then on they get every diagnosis."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gapwise.errors import UsageError, shown
from gapwise.ledger import human as human_levels
from gapwise.ledger.ledger import Ledger
from gapwise.records import HumanLevel, Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.tracking.writer import RunWriter
from gapwise.workflows.author import author
from gapwise.workflows.foreign import by_split, check_media
from gapwise.workflows.foreign_labels import class_names
from gapwise.workflows.foreign_table import read_table, stated_classes

LONGEST_NAME = 250
"""Characters of an experiment's or a dataset's name that every store takes."""


@dataclass(frozen=True, kw_only=True)
class RecordRequest:
    """What ``gapwise record`` was asked for; the dataset is the file's stem unless it is named."""

    file: Path
    experiment: str = "recorded"
    run_name: str | None = None
    dataset: str | None = None
    human: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    media_root: Path | None = None
    same_distribution: bool = False
    metrics: tuple[str, ...] = ()


def record_file(request: RecordRequest, settings: Settings | None = None) -> str:
    """Record a predictions table (Parquet or CSV with a ``split`` column) as a run; return its id.

    Raises:
        DataError: the table is not a predictions table.
        UsageError: a human level is not ``ERROR[:N[:train|target]]``, a metric is not
            ``NAME=NUMBER``, or a name is none.
    """
    settings = settings or Settings.read()
    where = str(request.file)
    metrics = dict(parse_metric(text) for text in request.metrics)
    levels = [parse_human(text) for text in request.human]
    experiment = checked_name(request.experiment, "experiment")
    dataset = checked_name(
        request.file.stem if request.dataset is None else request.dataset, "dataset"
    )
    classes = class_names(request.classes)
    frame = read_table(request.file)
    splits = by_split(frame, classes or stated_classes(request.file), where)
    root = request.media_root.resolve() if request.media_root else None
    if root is not None:
        check_media(frame, root, where)
    with RunStore(settings).create(
        experiment=experiment,
        name=request.run_name or request.file.stem,
        kind="record",
        seed=None,
        group=None,
        dataset=dataset,
        tags=distribution_tag(request.same_distribution),
    ) as writer:
        write_predictions(writer, splits, str(root or ""))
        for name, value in metrics.items():
            writer.log_metric(name, value, 0)
        if levels:
            human_levels.state(Ledger(settings.ledger_url), dataset, levels, author=author())
        writer.finish("FINISHED")
    return writer.run_id


def checked_name(name: str, what: str) -> str:
    """Return the name of an experiment or a dataset when every store can hold it.

    Raises:
        UsageError: it is empty, or too long.
    """
    if not name.strip():
        raise UsageError(f"the {what}'s name is empty; give it one")
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"the {what}'s name has {len(name)} characters ({shown(name, 40)}); "
            f"keep it to {LONGEST_NAME}"
        )
    return name


def distribution_tag(same: bool) -> dict[str, str]:
    """Return the tag by which a run states whether train and dev are one distribution."""
    return {"gapwise.same_distribution": str(same).lower()}


def write_predictions(
    writer: RunWriter, splits: Mapping[str, Predictions], media_root: str = ""
) -> None:
    """Store the predictions of every split with the run, and its errors as metrics."""
    for split, predictions in splits.items():
        path = writer.folder / "predictions" / f"{split}.parquet"
        tables.write(path, predictions, media_root=media_root)
        writer.log_file(path, "predictions")
        if split != "test":  # the test error is shown only when asked for, and then counted
            mean = float(np.average(predictions.error, weights=predictions.weight))
            writer.log_metric(f"{split}/error", mean, 0)


def parse_metric(text: str) -> tuple[str, float]:
    """Return the name and the value that ``NAME=NUMBER`` states.

    Raises:
        UsageError: it cannot be read.
    """
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not name.strip() or not math.isfinite(value):
        raise UsageError(
            f"--metric {shown(text)!r} is not NAME=NUMBER; write latency_p95_ms=80, say"
        )
    return name.strip(), value


def parse_human(text: str) -> HumanLevel:
    """Return the human level that ``ERROR[:N[:train|target[:NAME]]]`` states.

    Raises:
        UsageError: it cannot be read.
    """
    error, _, rest = text.partition(":")
    n, _, rest = rest.partition(":")
    distribution, _, name = rest.partition(":")
    try:
        level = HumanLevel(
            error=float(error),
            n=int(n) if n else None,
            distribution=distribution or "train",  # type: ignore[arg-type]
            name=name,
        )
        return human_levels.valid(level)
    except (ValueError, UsageError) as wrong:
        raise UsageError(
            f"--human {shown(text)!r} is not ERROR[:N[:train|target[:NAME]]]; for 1 % measured on "
            "500 examples write 0.01:500, or 0.01:500:train:expert"
        ) from wrong
