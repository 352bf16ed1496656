"""Real runs for the pages' tests, without training: real digits, planted errors."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gapwise import pipeline_file
from gapwise.data import load
from gapwise.data.prepared import Prepared
from gapwise.records import SPLITS, Job, NumericPlan, Predictions, plain
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore

ERRORS = {"train": 0.0, "train_dev": 0.04, "dev": 0.22, "test": 0.21}


def prepare(settings: Settings, overrides: Sequence[str] = ()) -> tuple[dict[str, Any], Prepared]:
    """The resolved pipeline ``digits`` and its prepared data."""
    pipeline = pipeline_file.load("digits", overrides)
    return pipeline_file.resolve(pipeline), load.prepare(pipeline, settings, Path.cwd())


def make_group(settings: Settings, seeds: int = 3, **changes: Any) -> list[str]:
    """A group of finished runs that differ in their seed; their ids, oldest first."""
    pipeline, prepared = prepare(settings, changes.pop("overrides", ()))
    group = "g" * 8 if seeds > 1 else None
    return [
        make_run(settings, pipeline, prepared, seed=seed, group=group, **changes)
        for seed in range(seeds)
    ]


def make_run(
    settings: Settings,
    pipeline: dict[str, Any],
    prepared: Prepared,
    *,
    seed: int = 0,
    group: str | None = None,
    name: str = "digits",
    errors: dict[str, float] | None = None,
    finish: bool = True,
) -> str:
    """One run as a training leaves it; without ``finish`` as one killed in its third epoch."""
    with RunStore(settings).create(
        experiment=str(pipeline["name"]),
        name=name,
        kind="train",
        seed=seed,
        group=group,
        dataset=prepared.name,
        tags={
            "gapwise.quarantined": "2",
            "gapwise.notes": "\n".join(prepared.notes),
            "gapwise.same_distribution": "false",
        },
    ) as writer:
        _inputs(writer, pipeline, prepared, seed)
        epochs = range(1, 26 if finish else 3)
        for epoch in epochs:
            train, dev = 0.5 / epoch**1.4, 0.22 + 0.5 / epoch**1.3
            writer.log_metrics({"train_error": train, "dev_error": dev}, epoch)
        if not finish:
            writer.finish("KILLED")
            return writer.run_id
        for split in SPLITS:
            table = planted(prepared, split, (errors or ERRORS)[split], seed)
            path = writer.folder / "predictions" / f"{split}.parquet"
            tables.write(path, table, media_root=prepared.media_root)
            writer.log_file(path, "predictions")
        writer.log_metrics({"best_epoch": 21, "epochs": 25}, 0)
        writer.finish("FINISHED")
    return writer.run_id


def planted(prepared: Prepared, split: str, rate: float, seed: int) -> Predictions:
    """Predictions with a share of errors that mostly depends on the example, not on the seed."""
    rows = prepared.indices(split)
    easy = np.random.default_rng(7).permutation(len(rows)) / max(1, len(rows))
    noise = np.random.default_rng(seed).normal(0, 0.03, len(rows))
    wrong = easy + noise < rate if rate else np.zeros(len(rows), bool)
    target = prepared.targets[rows]
    predicted = np.where(wrong, (target + 1 + rows % 3) % len(prepared.classes), target)
    sure = np.random.default_rng(seed + 100).uniform(0.55, 0.99, len(rows))
    k = len(prepared.classes)
    scores = np.repeat(((1 - sure) / (k - 1))[:, None], k, axis=1).astype(np.float32)
    scores[np.arange(len(rows)), predicted] = sure
    return Predictions(
        split=split,
        example_id=prepared.ids[rows],
        target=target,
        predicted=predicted.astype(np.int64),
        error=wrong.astype(float),
        weight=np.ones(len(rows)),
        classes=prepared.classes,
        loss=-np.log(scores[np.arange(len(rows)), target].astype(float)),
        scores=scores,
        source=prepared.sources[rows],
    )


def _inputs(writer: Any, pipeline: dict[str, Any], prepared: Prepared, seed: int) -> None:
    job = Job(
        pipeline=pipeline,
        data=str(prepared.folder),
        folder="checkpoints",
        plan=NumericPlan(),
        seed=seed,
        epochs=25,
    )
    (writer.folder / "job.json").write_text(json.dumps(plain(asdict(job))))
    (writer.folder / "pipeline.yaml").write_text(json.dumps(plain({**pipeline, "seed": seed})))
    writer.log_file(writer.folder / "pipeline.yaml")
    writer.log_parameters({**plain(pipeline), "seed": seed})
