"""Human level from blind answers: each person, the team, and how far they agree (notes 4.7)."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Final

from gapwise.diagnostics.agreement import Agreement, agreement
from gapwise.records import Distribution, HumanLevel, plain
from gapwise.statistics.intervals import wilson

TEAM: Final = "team"
LEAST_TEAM: Final = 3
"""People who must have answered an example before it has a majority."""

SOURCE: Final = "blind quiz"

Said = Mapping[str, Mapping[str, str]]
"""Person → example → answer."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """One person's error, or the team's, on one distribution.

    Attributes:
        error, low, high: share of answers that are not the label, with Wilson's interval.
        n: examples; one that several people answered counts once in the team's.
        seconds: median time for an example; None where unknown.
    """

    name: str
    distribution: Distribution
    error: float
    low: float
    high: float
    n: int
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class People:
    """What people said on both distributions.

    Attributes:
        people: one row a person and distribution, the team's majority last.
        pairs: (one, other, agreement) on the examples that both answered.
    """

    people: tuple[Person, ...]
    pairs: tuple[tuple[str, str, Agreement], ...]

    def levels(self) -> tuple[HumanLevel, ...]:
        """Return these as human levels of the ladder."""
        return tuple(
            HumanLevel(
                error=one.error,
                n=one.n,
                distribution=one.distribution,
                source=SOURCE,
                name=one.name,
            )
            for one in self.people
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        document: dict[str, Any] = plain(asdict(self))
        return document


@dataclass(frozen=True, kw_only=True)
class BlindAnswer:
    """One blind answer with the label that holds."""

    person: str
    example_id: str
    distribution: Distribution
    said: str
    label: str
    seconds: float | None = None


def people(answers: Sequence[BlindAnswer]) -> People:
    """Return the error of each person and of the team, and pairwise agreement."""
    rows: list[Person] = []
    for distribution in ("train", "target"):
        here = [one for one in answers if one.distribution == distribution]
        rows += [_person(name, here) for name in dict.fromkeys(one.person for one in here)]
        team = _team(here)
        rows += [team] if team else []
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for one in answers:
        said[one.person][one.example_id] = one.said
    return People(people=tuple(rows), pairs=tuple(_pairs(said)))


def _person(name: str, answers: Sequence[BlindAnswer]) -> Person:
    own = [one for one in answers if one.person == name]
    wrong = sum(one.said != one.label for one in own)
    times = sorted(one.seconds for one in own if one.seconds is not None)
    ends = wilson(wrong, len(own))
    return Person(
        name=name,
        distribution=own[0].distribution,
        error=wrong / len(own),
        low=ends.low,
        high=ends.high,
        n=len(own),
        seconds=times[len(times) // 2] if times else None,
    )


def _team(answers: Sequence[BlindAnswer]) -> Person | None:
    """Return the error of the majority; a tie counts as the share of the tied that is wrong."""
    by_example: dict[str, list[BlindAnswer]] = defaultdict(list)
    for one in answers:
        by_example[one.example_id].append(one)
    wrong, n = 0.0, 0
    for several in by_example.values():
        if len(several) < LEAST_TEAM:
            continue
        counts = Counter(one.said for one in several)
        most = max(counts.values())
        tied = [label for label, count in counts.items() if count == most]
        wrong += sum(label != several[0].label for label in tied) / len(tied)
        n += 1
    if not n:
        return None
    ends = wilson(wrong, n)
    return Person(
        name=TEAM,
        distribution=answers[0].distribution,
        error=wrong / n,
        low=ends.low,
        high=ends.high,
        n=n,
    )


def _pairs(said: Said) -> list[tuple[str, str, Agreement]]:
    found = []
    for one, other in combinations(said, 2):
        shared = [name for name in said[one] if name in said[other]]
        if shared:
            a, b = ([said[who][name] for name in shared] for who in (one, other))
            found.append((one, other, agreement(a, b)))
    return found
