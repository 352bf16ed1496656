"""Who a campaign covers: suspects by a threshold, and random samples of wrong and right ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.error_table import in_order
from gapwise.errors import DataError, UsageError
from gapwise.ledger import campaigns
from gapwise.ledger.campaigns import Campaign
from gapwise.ledger.ledger import Ledger
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.statistics.suspicion import suspicion, together
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import labelled
from gapwise.workflows.author import author as person
from gapwise.workflows.looking import count_looks


@dataclass(frozen=True, kw_only=True)
class Members:
    """Who a campaign covers in one split.

    Attributes:
        table: predictions of the first run, under the labels of the data.
        suspicion: (n,) of every example, from the runs' mean scores.
        queues: ``suspects`` the most suspect first; ``wrong`` and ``right`` the random samples.
        population: how many examples each sample stands for.
    """

    table: Predictions
    suspicion: NDArray[np.float32]
    queues: Mapping[str, tuple[str, ...]]
    population: Mapping[str, int]


def begin(campaign: Campaign, settings: Settings, author: str = "") -> Campaign:
    """Begin a campaign; where it covers test, a look is counted.

    Raises:
        UsageError: no name, no run, or runs of several datasets.
        DataError: a run has no scores of a split.
    """
    runs = _runs(campaign, settings)
    for split in campaign.splits:
        _members(campaign, runs, split, settings)
    if "test" in campaign.splits:
        count_looks(runs, settings)
    ledger = Ledger(settings.ledger_url)
    campaigns.begin(ledger, campaign, dataset=runs[0].dataset, author=author or person())
    return campaign


def members(campaign: Campaign, settings: Settings) -> dict[str, Members]:
    """Return who a campaign covers, by split: the same whenever it is asked.

    Raises:
        UsageError, DataError: its runs are gone, or have no scores.
    """
    runs = _runs(campaign, settings)
    return {split: _members(campaign, runs, split, settings) for split in campaign.splits}


def _runs(campaign: Campaign, settings: Settings) -> list[StoredRun]:
    store = RunStore(settings)
    runs = [store.open(run_id) for run_id in campaign.run_ids]
    if not runs:
        raise UsageError("a campaign needs a run whose scores rank the suspects; choose one")
    if len({run.dataset for run in runs}) > 1:
        raise UsageError("the runs of a campaign are of several datasets; choose runs of one")
    return runs


def _members(
    campaign: Campaign, runs: Sequence[StoredRun], split: str, settings: Settings
) -> Members:
    tables = [labelled.read(run, split, settings, revision=0) for run in runs]
    first = tables[0]
    scores = together(aligned(tables))
    doubt, _ = suspicion(scores, first.target, campaign.score)
    order = np.argsort(-doubt, kind="stable")
    suspects = order[doubt[order] >= campaign.suspects]
    queues = {"suspects": tuple(first.example_id[suspects].tolist())}
    population = {}
    for kind in ("wrong", "right"):
        rows = np.flatnonzero((first.error > 0) == (kind == "wrong"))
        sample = in_order(first.example_id, rows, campaign.seed)
        size = campaign.wrong if kind == "wrong" else campaign.right
        queues[kind] = tuple(first.example_id[sample[:size]].tolist())
        population[kind] = len(rows)
    return Members(table=first, suspicion=doubt, queues=queues, population=population)


def aligned(tables: Sequence[Predictions]) -> list[NDArray[np.float32]]:
    """Return the scores of several runs on the examples and classes of the first: (n, k) each.

    Raises:
        DataError: a table has no scores, or other classes or examples.
    """
    first = tables[0]
    found = []
    for table in tables:
        if table.scores is None or not table.classes or table.target.ndim > 1:
            raise DataError(f"a run has no scores of classes on {table.split}; choose another")
        if set(table.classes) != set(first.classes):
            raise DataError("the runs know different classes; choose runs of one task")
        places = {str(name): row for row, name in enumerate(table.example_id)}
        rows = np.array([places.get(str(name), -1) for name in first.example_id])
        if (rows < 0).any():
            raise DataError(f"the runs predict different {table.split} examples; choose others")
        columns = [table.classes.index(name) for name in first.classes]
        found.append(table.scores[rows][:, columns])
    return found


def predicted_names(table: Predictions) -> list[str]:
    """Return what the run said of each example, by class name: (n,)."""
    return [table.classes[int(code)] for code in table.predicted]
