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
from numpy.typing import NDArray
from torch import Tensor

from gapwise.data.checks import check_quarantine
from gapwise.errors import StorageError, UsageError
from gapwise.forms.base import form_of
from gapwise.labels import Labels
from gapwise.records import Quarantined
from gapwise.settings import Settings
from gapwise.tasks.base import Task
from gapwise.tracking import several
from gapwise.workflows.new_examples import NewExamples, read_new
from gapwise.workflows.new_targets import known
from gapwise.workflows.trained_run import TrainedRun, open_trained, outputs_of

DEFAULT = Path("predictions.parquet")
PARQUET = (".parquet", ".pq")


def predict(
    run_ref: str, path: Path, output: Path | None = None, settings: Settings | None = None
) -> tuple[Path, int, int]:
    """Predict ``path`` with the best network of a run; write a table.

    The table is that of DESIGN §3 with class names for ``target`` and ``predicted``, numbers in
    their own unit, or JSON of several labels. Where a label is not known, ``target``, ``error`` and
    ``loss`` are empty, and they are left out where none is. A CSV has a column ``score_<class>`` a
    class instead of the list ``scores``. Examples that were set aside stand in
    ``<output>.quarantine.jsonl``.

    Args:
        run_ref: id, name, latest or best.
        path: a folder of images or sounds, a manifest, or a table of features or sentences.
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
    if trained.model.task.compares:
        raise UsageError(
            f"run {trained.run_id} compares examples, so that one alone has no prediction; enroll "
            "people with `gapwise enroll`, and ask `gapwise recognize`"
        )
    examples = read_new(path, trained, settings)
    limit = trained.pipeline["data"].get("max_quarantine")
    check_quarantine(examples.quarantine, len(examples.ids), limit, str(path))
    columns = table_columns(examples, trained, as_csv=target.suffix.lower() == ".csv")
    _write(target, columns, trained.model.spec.labels, examples)
    return target, len(examples.ids), len(examples.quarantine)


def table_columns(examples: NewExamples, trained: TrainedRun, *, as_csv: bool) -> dict[str, Any]:
    """Return the columns of the predictions table, each an Arrow array."""
    outputs = outputs_of(trained, examples.inputs)
    task, labels = trained.model.task, trained.model.spec.labels
    predicted, scores = task.predict(outputs), task.scores(outputs)
    columns: dict[str, Any] = {"example_id": pa.array(examples.ids)}
    given = {"weight": np.ones(len(examples.ids)), **examples.columns}
    columns |= {
        name: pa.array(given[name]) for name in ("source", "group", "weight") if name in given
    }
    judged = known(labels, examples.targets)
    if judged.any():
        columns["target"] = _labelled(labels, examples.targets, judged)
    columns["predicted"] = _labelled(labels, predicted.numpy(), np.ones_like(judged))
    if judged.any():
        columns |= _errors(task, outputs, predicted, examples.targets, judged)
    if scores is not None:
        columns |= _scores(scores.numpy(), score_names(labels, scores.shape[1]), as_csv=as_csv)
    if "media" in given:
        columns["media"] = pa.array(given["media"])
    further = {name: pa.array(v) for name, v in examples.metadata.items() if name not in columns}
    return columns | further


def score_names(labels: Labels, count: int) -> list[str]:
    """Return what each of ``count`` scores is of: a class, a label, or a label's class."""
    if labels.kind == "class":
        return list(labels.only)
    if count == len(labels.names):
        return list(labels.names)
    named = zip(labels.names, labels.classes, strict=True)
    return [f"{name}={one}" for name, classes in named for one in classes]


def _labelled(labels: Labels, values: NDArray[Any], judged: NDArray[np.bool_]) -> pa.Array:
    """Return labels as they stand in a table: class names, doubles, or JSON of several."""
    if labels.kind == "number":
        return _where(judged, values.astype(np.float64))
    if labels.kind == "several":
        return _where(judged, several.to_text(labels, values).astype(object))
    if labels.is_drawn:
        return _where(judged, form_of(labels).text(labels, values).astype(object))
    return _where(judged, np.array(labels.only)[values])


def _errors(
    task: Task,
    outputs: Tensor,
    predicted: Tensor,
    targets: NDArray[Any],
    judged: NDArray[np.bool_],
) -> dict[str, pa.Array]:
    """Return error, loss and what else the task tells of the examples whose label is known."""
    rows = torch.from_numpy(np.flatnonzero(judged))
    own, true = predicted[rows], torch.from_numpy(targets)[rows]
    found = {"error": task.error(own, true), "loss": task.loss(outputs[rows], true)}
    found |= task.columns(own, true)
    columns = {}
    for name, values in found.items():
        spread = np.full(len(judged), np.nan)
        spread[judged] = values.double().numpy()
        columns[name] = pa.array(spread, from_pandas=True)
    return columns


def _scores(scores: NDArray[np.float32], names: Sequence[str], *, as_csv: bool) -> dict[str, Any]:
    if as_csv:
        return {f"score_{name}": pa.array(scores[:, i]) for i, name in enumerate(names)}
    ends = np.arange(len(scores) + 1, dtype=np.int32) * scores.shape[1]
    return {"scores": pa.ListArray.from_arrays(ends, scores.ravel())}


def _where(judged: Any, values: Any) -> pa.Array:
    return pa.array(values, mask=~judged)


def _target(output: Path | None) -> Path:
    if output is None and DEFAULT.exists():
        raise UsageError(f"{DEFAULT} is there already; name a file with --output")
    target = output or DEFAULT
    if target.suffix.lower() not in (*PARQUET, ".csv"):
        raise UsageError(f"--output {target} must end in .parquet or .csv")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"--output {target}: there is no folder {target.parent}; make it first")
    return target


def _write(target: Path, columns: dict[str, Any], labels: Labels, examples: NewExamples) -> None:
    says = {"gapwise.classes": json.dumps(labels.only), "gapwise.media_root": examples.media_root}
    if labels.kind != "class":
        says["gapwise.labels"] = json.dumps(labels.as_json())
    table = pa.table(columns).replace_schema_metadata(says)
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
