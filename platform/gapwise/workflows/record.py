"""Record predictions that were made elsewhere: from then on they get every diagnosis."""

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
from gapwise.workflows.foreign import by_split, read_table, stated_classes


@dataclass(frozen=True, kw_only=True)
class RecordRequest:
    """What ``gapwise record`` was asked for."""

    file: Path
    experiment: str = "recorded"
    run_name: str | None = None
    dataset: str | None = None
    human: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    media_root: Path | None = None


def record_file(request: RecordRequest, settings: Settings | None = None) -> str:
    """Record a predictions table (Parquet or CSV with a ``split`` column) as a run; return its id.

    Raises:
        DataError: the table is not a predictions table.
        UsageError: a human level is not ``ERROR[:N[:train|target]]``.
    """
    settings = settings or Settings.read()
    levels = [parse_human(text) for text in request.human]
    frame = read_table(request.file)
    classes = request.classes or stated_classes(request.file)
    splits = by_split(frame, classes, where=str(request.file))
    dataset = request.dataset or request.experiment
    with RunStore(settings).create(
        experiment=request.experiment,
        name=request.run_name or request.file.stem,
        kind="record",
        seed=None,
        group=None,
        dataset=dataset,
    ) as writer:
        write_predictions(writer, splits, str(request.media_root or ""))
        ledger = Ledger(settings.ledger_url)
        for level in levels:
            human_levels.state(ledger, dataset, level, author=author())
        writer.finish("FINISHED")
    return writer.run_id


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


def parse_human(text: str) -> HumanLevel:
    """Return the human level that ``ERROR[:N[:train|target]]`` states.

    Raises:
        UsageError: it cannot be read.
    """
    error, _, rest = text.partition(":")
    n, _, distribution = rest.partition(":")
    try:
        level = HumanLevel(
            error=float(error),
            n=int(n) if n else None,
            distribution=distribution or "train",  # type: ignore[arg-type]
        )
    except ValueError:
        level = None
    fits = level and 0 <= level.error <= 1 and level.distribution in ("train", "target")
    if level is None or not fits or (level.n is not None and level.n < 1):
        raise UsageError(
            f"--human {shown(text)!r} is not ERROR[:N[:train|target]]; for 1 % measured on 500 "
            "examples write 0.01:500"
        )
    return level
