"""`gapwise ceiling`: a system of several steps, from one table or from recorded runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gapwise.diagnostics import ceiling as ceilings
from gapwise.diagnostics.compare import compare
from gapwise.diagnostics.errors_by_split import group_keys
from gapwise.diagnostics.steps import Ceiling, Errors, System
from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import labelled
from gapwise.workflows.foreign_table import read_table
from gapwise.workflows.looking import count_looks
from gapwise.workflows.split_names import split_named

PERFECT_ERROR: Final = "error_perfect_"
PERFECT_PREDICTED: Final = "predicted_perfect_"
CORRECT: Final = "correct_"

_RIGHT: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, kw_only=True)
class CeilingRequest:
    """What ``gapwise ceiling`` was asked for.

    Attributes:
        source: a table (CSV or Parquet), or the run of the system as it is.
        perfect: ``STEP=RUN``, ``STEP+STEP=RUN``: runs of the system with those steps perfect.
        steps: the steps in the system's order; () as they are first named.
        split: the split that is judged, where there are several.
    """

    source: str
    perfect: Sequence[str] = ()
    steps: Sequence[str] = ()
    split: str = "dev"


def ceiling(request: CeilingRequest, settings: Settings | None = None) -> Ceiling:
    """Return what each step of a system can gain; a look at a run's ``test`` is counted first.

    Raises:
        UsageError: a run, a split or a step is unknown, or an option cannot be read.
        DataError: the table holds what it must not, or the runs share no examples.
    """
    split = split_named(request.split)
    path = Path(request.source)
    if request.perfect:
        return ceilings.ceiling(_from_runs(request, split, settings or Settings.read()))
    if not path.is_file():
        raise UsageError(
            f"{shown(request.source)} is no file; give a table (CSV or Parquet), or a run with "
            "--perfect STEP=RUN"
        )
    return ceilings.ceiling(_from_table(read_table(path), request, split, str(path)))


def _from_table(frame: pd.DataFrame, request: CeilingRequest, split: str, where: str) -> System:
    if "split" in frame:
        frame = frame[frame["split"] == split]
    if frame.empty:
        raise DataError(f"{where} holds no row of {split}; name another with --split")
    _check_ids(frame, where)
    perfect = {
        tuple(name.removeprefix(prefix).split("+")): name
        for prefix in (PERFECT_ERROR, PERFECT_PREDICTED)
        for name in map(str, frame)
        if name.startswith(prefix)
    }
    correct = {name.removeprefix(CORRECT): name for name in map(str, frame)
               if name.startswith(CORRECT)}  # fmt: skip
    weight = _numbers(frame, "weight", where, most=np.inf) if "weight" in frame else None
    return System(
        steps=_steps(request.steps, [*correct], [*perfect]),
        error=_end_errors(frame, "error", "predicted", where),
        perfect={key: _end_errors(frame, *_columns(key), where) for key in perfect},
        right={step: _right(frame, name, where) for step, name in correct.items()},
        weight=None if weight is None or (weight == 1).all() else weight,
        group=group_keys(frame["group"].fillna("").to_numpy(np.str_)) if "group" in frame else None,
    )


def _columns(key: tuple[str, ...]) -> tuple[str, str]:
    name = "+".join(key)
    return f"{PERFECT_ERROR}{name}", f"{PERFECT_PREDICTED}{name}"


def _steps(
    stated: Sequence[str], correct: Sequence[str], perfect: Sequence[tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the steps in order; where one alone is known, what follows it is "the rest"."""
    longest_last = sorted(perfect, key=len)
    named = dict.fromkeys([*correct, *(step for key in longest_last for step in key)])
    if not stated:
        rest = [] if len(named) > 1 else [ceilings.REST]
        return (*named, *rest)
    unknown = [step for step in named if step not in stated]
    if unknown or len(set(stated)) < len(stated):
        odd = unknown[0] if unknown else next(s for s in stated if list(stated).count(s) > 1)
        raise UsageError(
            f"step {shown(odd)!r} is not named once in --steps {','.join(map(shown, stated))}; "
            f"{did_you_mean(odd, stated)}"
        )
    return tuple(stated)


def _check_ids(frame: pd.DataFrame, where: str) -> None:
    if "example_id" not in frame:
        raise DataError(f"{where} has no column 'example_id'; add one, unique and stable")
    twice = frame["example_id"].duplicated()
    if twice.any():
        row = frame.index[twice][0]
        raise DataError(
            f"{where}, row {row}: example_id {shown(frame['example_id'][row])!r} stands twice; "
            "keep one row an example"
        )


def _end_errors(frame: pd.DataFrame, error: str, predicted: str, where: str) -> Errors:
    """Return errors as they stand, or from what was predicted against the target."""
    if error in frame:
        return _numbers(frame, error, where, most=1.0)
    for needed in ("target", predicted):
        if needed not in frame:
            raise DataError(
                f"{where} has neither a column {error!r} nor {'target'!r} and {predicted!r}; "
                "add the end errors, numbers from 0 to 1"
            )
        if frame[needed].isna().any():
            row = frame.index[frame[needed].isna()][0]
            raise DataError(f"{where}, row {row}: {needed} is empty; every example needs one")
    wrong = frame["target"].astype(str) != frame[predicted].astype(str)
    return np.asarray(wrong, np.float64)


def _numbers(frame: pd.DataFrame, name: str, where: str, most: float) -> Errors:
    values: Errors = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~((values >= 0) & (values <= most) & np.isfinite(values)))
    if len(bad):
        row = frame.index[bad[0]]
        limits = "from 0 to 1" if most == 1 else "from 0 on"
        raise DataError(
            f"{where}, row {row}: {name} is {shown(frame[name][row])!r}; write a number {limits}"
        )
    return values


def _right(frame: pd.DataFrame, name: str, where: str) -> NDArray[np.bool_]:
    texts = frame[name].astype(str).str.lower().str.removesuffix(".0")
    known = texts.map(_RIGHT)
    if known.isna().any():
        row = frame.index[known.isna()][0]
        raise DataError(
            f"{where}, row {row}: {name} is {shown(frame[name][row])!r}; write 1 where the step "
            "was right and 0 where it was wrong"
        )
    return known.to_numpy(np.bool_)


def _from_runs(request: CeilingRequest, split: str, settings: Settings) -> System:
    store = RunStore(settings)
    wanted = {key: store.open(ref) for key, ref in map(_named, request.perfect)}
    run = store.open(request.source)
    end = _table(run, split, settings)
    others = {key: _table(other, split, settings) for key, other in wanted.items()}
    if split == "test":
        count_looks([run, *wanted.values()], settings)
    ids = end.example_id
    for other in others.values():
        compare(end, other)  # refuses other labels, other tasks, and no shared example
        ids = np.intersect1d(ids, other.example_id)
    if not len(ids):
        raise DataError(
            f"the {1 + len(others)} runs share no {split} example; name runs on one set"
        )
    rows = _rows(end, ids)
    weight = end.weight[rows]
    return System(
        steps=_steps(request.steps, (), [*others]),
        error=end.error[rows],
        perfect={key: other.error[_rows(other, ids)] for key, other in others.items()},
        weight=None if (weight == 1).all() else weight,
        group=group_keys(None if end.group is None else end.group[rows]),
    )


def _named(text: str) -> tuple[tuple[str, ...], str]:
    steps, _, ref = text.partition("=")
    key = tuple(step.strip() for step in steps.split("+"))
    if not ref or not all(key):
        raise UsageError(
            f"--perfect {shown(text)!r} is not STEP=RUN; write 'localise=RUN', or "
            "'localise+read=RUN' for both steps"
        )
    return key, ref


def _table(run: StoredRun, split: str, settings: Settings) -> Predictions:
    return labelled.read(run, split, settings)


def _rows(table: Predictions, ids: NDArray[np.str_]) -> NDArray[np.int64]:
    order = np.argsort(table.example_id)
    return np.asarray(order[np.searchsorted(table.example_id[order], ids)], np.int64)
