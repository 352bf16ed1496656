"""`gapwise predict`: a predictions table for new examples from a run's best network."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import torch

from gapwise.data.checks import check_quarantine
from gapwise.errors import StorageError, UsageError
from gapwise.records import Quarantined
from gapwise.settings import Settings
from gapwise.workflows.new_examples import NewExamples, read_new
from gapwise.workflows.trained_run import TrainedRun, open_trained, outputs_of

DEFAULT = Path("predictions.parquet")
PARQUET = (".parquet", ".pq")


def predict(
    run_ref: str, path: Path, output: Path | None = None, settings: Settings | None = None
) -> tuple[Path, int, int]:
    """Predict ``path`` with the best network of a run; write a table.

    The table is that of DESIGN §3 with class names for ``target`` and ``predicted``; where a label
    is not known, ``target``, ``error`` and ``loss`` are empty, and they are left out where none
    is. A CSV has a column ``score_<class>`` a class instead of the list ``scores``. Examples that
    were set aside stand in ``<output>.quarantine.jsonl``.

    Args:
        run_ref: id, name, latest or best.
        path: a folder of images, a manifest, or a table of features.
        output: a .parquet or .csv file; by default predictions.parquet, which must not be there.
        settings: where runs and caches are.

    Returns:
        The file, how many predictions it holds, and how many examples were set aside.

    Raises:
        UsageError: the run is none that was trained here, or the output cannot be used.
        DataError: the examples cannot be read, or too many of them are bad.
        StorageError: the checkpoint is damaged, or the output cannot be written.
    """
    settings = settings or Settings.read()
    target = _target(output)
    trained = open_trained(run_ref, settings)
    examples = read_new(path, trained, settings)
    limit = trained.pipeline["data"].get("max_quarantine")
    check_quarantine(examples.quarantine, len(examples.ids), limit, str(path))
    columns = table_columns(examples, trained, as_csv=target.suffix.lower() == ".csv")
    _write(target, columns, trained.model.spec.classes, examples)
    return target, len(examples.ids), len(examples.quarantine)


def table_columns(examples: NewExamples, trained: TrainedRun, *, as_csv: bool) -> dict[str, Any]:
    """Return the columns of the predictions table, each an Arrow array."""
    outputs = outputs_of(trained, examples.inputs)
    task, classes = trained.model.task, np.array(trained.model.spec.classes)
    predicted, scores = task.predict(outputs), task.scores(outputs).numpy()
    columns: dict[str, Any] = {"example_id": pa.array(examples.ids)}
    given = {"weight": np.ones(len(examples.ids)), **examples.columns}
    columns |= {
        name: pa.array(given[name]) for name in ("source", "group", "weight") if name in given
    }
    known = examples.targets >= 0
    if known.any():
        columns["target"] = _where(known, classes[examples.targets])
    columns["predicted"] = pa.array(classes[predicted.numpy()])
    if known.any():
        targets = torch.from_numpy(np.where(known, examples.targets, 0))
        columns["error"] = _where(known, task.error(predicted, targets).double().numpy())
        columns["loss"] = _where(known, task.loss(outputs, targets).double().numpy())
    if as_csv:
        columns |= {f"score_{name}": pa.array(scores[:, i]) for i, name in enumerate(classes)}
    else:
        ends = np.arange(len(scores) + 1, dtype=np.int32) * len(classes)
        columns["scores"] = pa.ListArray.from_arrays(ends, scores.ravel())
    if "media" in given:
        columns["media"] = pa.array(given["media"])
    further = {name: pa.array(v) for name, v in examples.metadata.items() if name not in columns}
    return columns | further


def _where(known: Any, values: Any) -> pa.Array:
    return pa.array(values, mask=~known)


def _target(output: Path | None) -> Path:
    if output is None and DEFAULT.exists():
        raise UsageError(f"{DEFAULT} is there already; name a file with --output")
    target = output or DEFAULT
    if target.suffix.lower() not in (*PARQUET, ".csv"):
        raise UsageError(f"--output {target} must end in .parquet or .csv")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"--output {target}: there is no folder {target.parent}; make it first")
    return target


def _write(
    target: Path, columns: dict[str, Any], classes: Sequence[str], examples: NewExamples
) -> None:
    labels = {"gapwise.classes": json.dumps(classes), "gapwise.media_root": examples.media_root}
    table = pa.table(columns).replace_schema_metadata(labels)
    draft = target.with_name(f".{target.name}.draft")
    try:
        if target.suffix.lower() == ".csv":
            pa_csv.write_csv(table, draft)
        else:
            pq.write_table(table, draft, compression="zstd")
        draft.replace(target)
        _write_quarantine(target.with_suffix(".quarantine.jsonl"), examples.quarantine)
    except OSError as error:
        raise StorageError(
            f"cannot write {target}: {error.strerror or error}; name another file with --output"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _write_quarantine(path: Path, quarantine: Sequence[Quarantined]) -> None:
    path.unlink(missing_ok=True)
    if quarantine:
        lines = [json.dumps(asdict(item)) + "\n" for item in quarantine]
        path.write_text("".join(lines), encoding="utf-8")
