"""What the page *Labels* shows: campaigns, their queues, reviews and re-scored runs; cached."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboards import books, data, desk_data
from gapwise.diagnostics.error_table import in_order
from gapwise.diagnostics.rescore import Rescored
from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.ledger import campaigns
from gapwise.ledger.campaigns import Campaign
from gapwise.settings import Settings
from gapwise.workflows import background, campaign_members, rescore
from gapwise.workflows import campaign as reviews
from gapwise.workflows.background import Background
from gapwise.workflows.campaign import Review
from gapwise.workflows.campaign_members import Members

FOLDS: Final = 5
QUEUES: Final = (*reviews.QUEUES, "second", "disagree")


def stated(run_id: str) -> list[Campaign]:
    """Return the campaigns of a run's dataset, the latest first."""
    return campaigns.stated(books.ledger(), data.dataset_of(run_id))


def named(run_id: str, name: str) -> Campaign:
    """Return a campaign.

    Raises:
        UsageError: there is none of that name.
    """
    known = {one.name: one for one in stated(run_id)}
    if name not in known:
        raise UsageError(f"campaign {shown(name)!r}: {did_you_mean(name, known)}")
    return known[name]


def begin(campaign: Campaign, author: str) -> None:
    """Begin a campaign; where it covers test, a look is counted.

    Raises:
        UsageError, DataError: it cannot be one.
    """
    campaign_members.begin(campaign, Settings.read(), author)


def members(campaign: Campaign) -> dict[str, Members]:
    """Return who a campaign covers."""
    return _members(campaign, Settings.read())


def queue(campaign: Campaign, split: str, kind: str, author: str) -> NDArray[np.int64]:
    """Return the rows of a split that stand in a queue of a campaign, in the order of review.

    ``second`` holds what others reviewed and ``author`` has not judged blindly; ``disagree`` what a
    second opinion disputes.

    Raises:
        UsageError: an unknown queue or split.
    """
    covered = members(campaign)
    if split not in covered or kind not in QUEUES:
        raise UsageError(f"queue {shown(kind)!r} of {shown(split)!r}: {did_you_mean(kind, QUEUES)}")
    one = covered[split]
    known = desk_data.of_run(campaign.run_ids[0]).labels
    table = data.predictions(campaign.run_ids[0], split)
    places = {str(name): row for row, name in enumerate(table.example_id)}
    if kind == "second":
        names = [
            name
            for name, review in known.reviews.items()
            if name in places
            and review.author != author
            and author not in known.opinions.get(name, {})
        ]
        rows = np.array([places[name] for name in names], np.int64)
        return in_order(table.example_id, rows, campaign.seed)
    if kind == "disagree":
        disputed = review_of(campaign).disagree
        return np.array([places[name] for name in disputed if name in places], np.int64)
    return np.array([places[name] for name in one.queues[kind] if name in places], np.int64)


def review_of(campaign: Campaign) -> Review:
    """Return what the reviews of a campaign show."""
    known = desk_data.of_run(campaign.run_ids[0])
    return _review(campaign, Settings.read(), known.labels.revision)


def rescored(experiment: str, before: int, after: int, *, test: bool = False) -> Rescored:
    """Return every run of an experiment under two revisions; a look at test is counted once."""
    return _rescored(experiment, before, after, test, tuple(data.runs(experiment)["run_id"]))


def judging(run_id: str) -> Background | None:
    """Return how the judging of a run's training set stands; None where it was never started."""
    return background.look(_judging(run_id), Settings.read())


def judge_train(run_id: str) -> None:
    """Judge a run's training set by folds, in a process of its own.

    Raises:
        BusyError: that is going on already.
    """
    words = ("suspects", run_id, "--folds", str(FOLDS), "--limit", "1")
    background.start(_judging(run_id), words, Settings.read())


def _judging(run_id: str) -> str:
    return f"folds-{run_id}"


def revisions(run_id: str) -> Mapping[int, str]:
    """Return the revisions at which labels changed: position → who and when; 0 the data's own."""
    known = rescore.revisions(data.dataset_of(run_id), Settings.read())
    told = {seq: f"{seq} · {by} · {utc[:16].replace('T', ' ')}" for seq, by, utc in known}
    return {0: "0 · as the data came"} | told


def _best(campaign: Campaign) -> Sequence[str]:
    """Return the two finished runs of the campaign's dataset with the lowest dev error."""
    known = data.comparable(mate=campaign.run_ids[0])
    ids = [campaign.run_ids[0], *known]
    errors = {}
    for run_id in ids[:20]:
        if "dev" in data.run(run_id).splits():
            table = data.predictions(run_id, "dev")
            errors[run_id] = float(np.average(table.error, weights=table.weight))
    return sorted(errors, key=errors.__getitem__)[:2]


@st.cache_resource(show_spinner="Ranking the suspects", max_entries=8)
def _members(campaign: Campaign, _settings: Settings) -> dict[str, Members]:
    return campaign_members.members(campaign, _settings)


@st.cache_resource(show_spinner=False, max_entries=8)
def _review(campaign: Campaign, _settings: Settings, revision: int) -> Review:
    known = desk_data.of_run(campaign.run_ids[0])
    best = [data.predictions(run_id, "dev") for run_id in _best(campaign)]
    return reviews.review(campaign, members(campaign), known.labels, best)


@st.cache_resource(show_spinner="Re-scoring every run", max_entries=16)
def _rescored(
    experiment: str, before: int, after: int, test: bool, run_ids: tuple[str, ...]
) -> Rescored:
    return rescore.rescore_runs(experiment, before, after, test=test)
