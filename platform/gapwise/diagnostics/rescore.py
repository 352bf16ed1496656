"""Every stored run under two label revisions: ladders, ranks and the winner, no network run (4.11).

Rungs are of the same examples before and after; their intervals are the displayed ones of a ladder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gapwise.diagnostics import words
from gapwise.diagnostics.reading import classes_of, summarised
from gapwise.diagnostics.relabelled import Labels, in_table
from gapwise.errors import DataError, shown
from gapwise.records import Rung, plain

_COLUMNS: Final = ("example_id", "target", "predicted", "error", "weight", "group")


@dataclass(frozen=True, kw_only=True)
class RunPaths:
    """A stored run and the prediction files of its splits, in the order of a ladder."""

    run_id: str
    name: str
    paths: Mapping[str, Path]


@dataclass(frozen=True, kw_only=True)
class RescoredRun:
    """One run before and after.

    Attributes:
        before, after: its ladder without people, rung by rung.
        changed: split → examples of it that are right now and were wrong, or the other way.
        rank_before, rank_after: by error on the judging split, 1 the best; ties share a rank.
    """

    run_id: str
    name: str
    before: tuple[Rung, ...]
    after: tuple[Rung, ...]
    changed: Mapping[str, int]
    rank_before: int = 0
    rank_after: int = 0


@dataclass(frozen=True, kw_only=True)
class Rescored:
    """What ``rescore --json`` says.

    Attributes:
        before, after: the two label revisions.
        split: what runs are ranked by.
        relabelled: examples whose label differs between the two.
        by_split: split → how many of those stand in it, by the first run that has it.
        runs: the best after first.
        winner_before, winner_after: runs with the lowest error, several where they tie.
    """

    before: int
    after: int
    split: str
    relabelled: int
    by_split: Mapping[str, int]
    runs: tuple[RescoredRun, ...]
    winner_before: tuple[str, ...]
    winner_after: tuple[str, ...]

    @property
    def winner_changed(self) -> bool:
        """Whether no run that was best before is best after."""
        return not set(self.winner_before) & set(self.winner_after)

    @property
    def says(self) -> str:
        """One or two sentences."""
        where = ", ".join(f"{n:,} in {words.of_rung(s)}" for s, n in self.by_split.items() if n)
        moved = sum(run.rank_before != run.rank_after for run in self.runs)
        labels = "label differs" if self.relabelled == 1 else "labels differ"
        head = (
            f"{self.relabelled:,} {labels} between revisions {self.before} and {self.after}"
            f"{f' ({where})' if where else ''}; {moved:,} of {len(self.runs):,} runs change rank."
        )
        names = {run.run_id: run.name for run in self.runs}
        after = " and ".join(names[run_id] for run_id in self.winner_after)
        if self.winner_changed:
            before = " and ".join(names[run_id] for run_id in self.winner_before)
            return f"{head} The best run changes: {after} instead of {before}."
        return f"{head} The best run stays {after}."

    @property
    def warns(self) -> str:
        """What is lopsided in what was corrected, "" where nothing is (notes 4.11)."""
        n = self.by_split
        if n.get("dev") and "test" in n and not n["test"]:
            return "Only dev was corrected: dev and test are no longer of one distribution."
        if n.get("test") and not n.get("dev"):
            return "Only test was corrected: dev and test are no longer of one distribution."
        judged = n.get("dev", 0) + n.get("test", 0)
        if judged and "train_dev" in n and not n["train_dev"] + n.get("train", 0):
            return (
                "Only dev and test were corrected: part of the step from train-dev to dev is now "
                "the labels' doing (an artificial data mismatch)."
            )
        return ""

    def as_json(self) -> dict[str, Any]:
        """Return the document."""
        document: dict[str, Any] = plain(asdict(self))
        return document | {
            "winner_changed": self.winner_changed,
            "says": self.says,
            "warns": self.warns,
        }


def rescore(
    runs: Sequence[RunPaths],
    labels: tuple[Labels, Labels],
    *,
    revisions: tuple[int, int],
    split: str = "dev",
) -> Rescored:
    """Return the runs under the labels before and after.

    Args:
        runs: each with predictions of ``split``.
        labels: example → label of every example that was ever reviewed, before and after.
        revisions: what the two are called.
        split: what runs are ranked by.

    Raises:
        DataError: a file cannot be read, or no run has the split.
    """
    before, after = labels
    differ = [name for name, label in after.items() if before.get(name) != label]
    judged = [run for run in runs if split in run.paths]
    if not judged:
        raise DataError(f"no run has predictions of {shown(split)}; rank by another split")
    by_split: dict[str, int] = {}
    found = [_rescored(run, labels, pa.array(differ, pa.string()), by_split) for run in judged]
    errors = [[_error(ladder, split) for ladder in (run.before, run.after)] for run in found]
    ranked = [
        RescoredRun(**{**vars(run), "rank_before": ranks[0], "rank_after": ranks[1]})
        for run, ranks in zip(found, _ranks(errors), strict=True)
    ]
    return Rescored(
        before=revisions[0],
        after=revisions[1],
        split=split,
        relabelled=len(differ),
        by_split=by_split,
        runs=tuple(sorted(ranked, key=lambda run: (run.rank_after, run.name))),
        winner_before=tuple(run.run_id for run in ranked if run.rank_before == 1),
        winner_after=tuple(run.run_id for run in ranked if run.rank_after == 1),
    )


def _rescored(
    run: RunPaths, labels: tuple[Labels, Labels], differ: pa.Array, by_split: dict[str, int]
) -> RescoredRun:
    ladders: tuple[list[Rung], list[Rung]] = ([], [])
    changed: dict[str, int] = {}
    for split, path in run.paths.items():
        table = _table(path)
        classes = classes_of(table)
        two = [in_table(table, each, classes) for each in labels]
        for ladder, one in zip(ladders, two, strict=True):
            ladder.append(_rung(split, one, str(path)))
        moved = pc.not_equal(two[0].column("error"), two[1].column("error"))
        changed[split] = int(pc.sum(moved.cast(pa.int64())).as_py() or 0)
        if split not in by_split:
            inside = pc.is_in(table.column("example_id").cast(pa.string()), value_set=differ)
            by_split[split] = int(pc.sum(inside.cast(pa.int64())).as_py() or 0)
    return RescoredRun(
        run_id=run.run_id,
        name=run.name,
        before=tuple(ladders[0]),
        after=tuple(ladders[1]),
        changed=changed,
    )


def _table(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            return file.read([name for name in _COLUMNS if name in file.schema_arrow.names])
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read: {shown(error, 200)}; write it anew") from None


def _rung(split: str, table: pa.Table, where: str) -> Rung:
    found = summarised(table, where)
    interval = found.interval
    return Rung(
        rung=split,
        error=found.rate,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=found.n,
        why="" if interval else "one group",
    )


def _error(ladder: Sequence[Rung], split: str) -> float:
    return next(rung.error for rung in ladder if rung.rung == split)


def _ranks(errors: Sequence[Sequence[float]]) -> list[list[int]]:
    columns = list(zip(*errors, strict=True))
    return [
        [1 + sum(other < own for other in column) for own, column in zip(row, columns, strict=True)]
        for row in errors
    ]
