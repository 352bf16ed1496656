"""`gapwise suspects`: examples whose label is probably wrong, the most suspect first."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.statistics.suspicion import SCORES, suspicion, together
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import labelled
from gapwise.workflows.campaign_members import aligned
from gapwise.workflows.looking import count_looks
from gapwise.workflows.split_names import split_named

COLUMNS = ("example_id", "target", "scores")


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """One example: its label, what the network would say, and how suspicious that makes it."""

    example_id: str
    split: str
    given: str
    suggested: str
    suspicion: float


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """Every example with scores, the most suspect first."""

    found: tuple[Suspect, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """Return the document of ``suspects --json``."""
        return [asdict(one) for one in self.found]


@dataclass(frozen=True, kw_only=True)
class Means:
    """By what else than the run's own scores labels are judged.

    Attributes:
        also: further runs of the same examples.
        score: what ranks, one of ``statistics.suspicion.SCORES``.
        folds: judge the training set by networks that did not see it, trained now; 0 for none.
    """

    also: Sequence[str] = ()
    score: str = SCORES[0]
    folds: int = 0


def suspects(
    ref: str,
    splits: Sequence[str] = (),
    limit: int | None = None,
    *,
    means: Means | None = None,
    settings: Settings | None = None,
) -> Suspects:
    """Rank a run's examples by how suspicious their labels are.

    The network did not see dev, test and train-dev; of train it may have learned wrong labels by
    heart, so that those look right. A look at test is counted.

    Args:
        ref: the run.
        splits: which; () for all that have scores.
        limit: how many, None for all.
        means: by what else labels are judged.
        settings: where runs are.

    Raises:
        UsageError: no such run or split, or a limit below 1.
        DataError: the run has no predictions of a split, or nothing with scores of classes.
    """
    settings = settings or Settings.read()
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} leaves nothing; write 1 or more")
    splits = [split_named(split) for split in splits]
    means, store = means or Means(), RunStore(settings)
    if means.score not in SCORES:
        raise UsageError(
            f"--score {shown(means.score)!r} is not known; {did_you_mean(means.score, SCORES)}"
        )
    run = store.open(ref)
    if means.folds:
        from gapwise.workflows.folds import judge_by_folds  # torch, only to train

        run = store.open(judge_by_folds(run, means.folds, settings))
    runs = [run, *(store.open(other) for other in means.also)]
    shared = [split for split in run.splits() if all(split in one.splits() for one in runs)]
    known = {
        split: labelled.read(run, split, settings, columns=COLUMNS) for split in splits or shared
    }
    scored = {split: table for split, table in known.items() if _has_scores(table)}
    if not scored:
        raise DataError(
            f"run {run.run_id} ({run.name}) has no scores of two classes or more in "
            f"{', '.join(known) or 'any split'}; record it with scores"
        )
    if "test" in scored:
        count_looks(runs, settings)
    judged = {split: _judged(runs, table, settings) for split, table in scored.items()}
    return Suspects(found=_ranked(judged, limit, means.score))


def _judged(runs: Sequence[StoredRun], table: Predictions, settings: Settings) -> Predictions:
    """Return the table with the mean scores of all runs."""
    if len(runs) == 1:
        return table
    others = [labelled.read(run, table.split, settings, columns=COLUMNS) for run in runs[1:]]
    return replace(table, scores=together(aligned([table, *others])))


def _has_scores(table: Predictions) -> bool:
    return (
        table.scores is not None
        and table.scores.shape[1] > 1
        and table.target.ndim == 1
        and table.target.dtype.kind == "i"
        and len(table) > 0
    )


def _ranked(scored: dict[str, Predictions], limit: int | None, score: str) -> tuple[Suspect, ...]:
    parts = {split: _suspicion(table, score) for split, table in scored.items()}
    names = list(parts)
    place = np.concatenate([np.full(len(parts[n][0]), i) for i, n in enumerate(names)])
    row = np.concatenate([np.arange(len(parts[n][0])) for n in names])
    values = np.concatenate([parts[n][0] for n in names])
    order = np.argsort(-values, kind="stable")[:limit]
    found = []
    for at in order:
        split, here = names[place[at]], row[at]
        table, suggested = scored[split], parts[split][1][here]
        found.append(
            Suspect(
                example_id=str(table.example_id[here]),
                split=split,
                given=_name(table, int(table.target[here])),
                suggested=_name(table, int(suggested)),
                suspicion=float(values[at]),
            )
        )
    return tuple(found)


def _suspicion(table: Predictions, score: str) -> tuple[Any, Any]:
    assert table.scores is not None
    return suspicion(table.scores, table.target, score)


def _name(table: Predictions, place: int) -> str:
    return table.classes[place] if table.classes else str(place)
