"""Campaigns: one rule by which the labels of dev and test are reviewed alike (notes 4.11)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from gapwise.errors import UsageError
from gapwise.ledger.event import Event, short
from gapwise.ledger.ledger import Ledger

KIND: Final = "campaign"


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """One process for dev and test; who is in it follows from the rule and the runs' predictions.

    Attributes:
        name: what people call it.
        run_ids: the runs whose scores rank the suspects.
        splits: what it covers.
        score: what ranks the suspects, one of ``statistics.suspicion.SCORES``.
        suspects: examples at this suspicion or above are reviewed, whatever split.
        wrong, right: how many wrong and right examples of each split are sampled at random.
        seed: of the samples.
    """

    name: str
    run_ids: tuple[str, ...]
    splits: tuple[str, ...] = ("dev", "test")
    score: str = "odds"
    suspects: float = 0.5
    wrong: int = 50
    right: int = 50
    seed: int = 0


def begin(ledger: Ledger, campaign: Campaign, *, dataset: str, author: str) -> Event:
    """Note a campaign; the latest of a name counts.

    Raises:
        UsageError: it has no name or no run.
    """
    if not campaign.name or not campaign.run_ids:
        raise UsageError("a campaign needs a name and a run whose scores rank the suspects")
    short(campaign.name, "a campaign's name")
    return ledger.append(dataset=dataset, kind=KIND, value=asdict(campaign), author=author)


def stated(ledger: Ledger, dataset: str) -> list[Campaign]:
    """Return the campaigns of a dataset, the latest first."""
    found: dict[str, Campaign] = {}
    for event in ledger.events(kind=KIND, dataset=dataset):
        found.pop(str(event.value["name"]), None)
        found[str(event.value["name"])] = _campaign(event.value)
    return list(found.values())[::-1]


def _campaign(value: Mapping[str, Any]) -> Campaign:
    lists = {name: tuple(value[name]) for name in ("run_ids", "splits")}
    return Campaign(**{**value, **lists})
