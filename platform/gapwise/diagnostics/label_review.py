"""What a review of labels shows: how much of an error is label noise, and where it comes from.

The share of an error that wrong labels make is estimated from random samples of wrong and of right
examples, each a sample of known size from a known number (stratified sampling; Cochran 1977,
"Sampling Techniques", chapter 5), never from the suspects, which were chosen. Label errors that
gather in a class pair, a source, a slice or with an annotator are systematic, the others random
(notes 4.11): each value is tested against the rest, under Benjamini and Yekutieli's control.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gapwise.diagnostics import words
from gapwise.records import plain
from gapwise.statistics.intervals import Interval, wilson
from gapwise.statistics.posterior import jeffreys

DRAWS: Final = 20_000
LEVEL: Final = 0.05
LEAST: Final = 5
"""Wrong labels of one value below which nothing is called systematic."""

_ENDS: Final = (0.025, 0.975)


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """Reviewed examples of a random sample.

    Attributes:
        population: examples that the sample stands for.
        reviewed: how many of the sample were reviewed, a random part of it.
        mislabeled: of those, whose label was wrong.
        flipped: of those, that change between right and wrong under the corrected label.
    """

    population: int
    reviewed: int
    mislabeled: int
    flipped: int


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share with its 95 % interval and the number that it stands on."""

    share: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True)
class LabelNoise:
    """What wrong labels do to one split.

    Attributes:
        of_error: share of the wrong examples whose label, not the network, was wrong.
        of_labels: share of all labels that are wrong; None until right examples were reviewed too.
        error, corrected: the error as it stands, and with all labels mended, as far as the samples
            tell.
    """

    split: str
    error: float
    of_error: Share | None
    of_labels: Share | None
    corrected: Share | None

    @property
    def says(self) -> str:
        """One sentence."""
        name = words.of_rung(self.split)
        name = name[:1].upper() + name[1:]
        if self.of_error is None:
            return f"{name}: review the random sample of wrong examples to see what labels cost."
        share = self.of_error
        text = (
            f"{name}: {words.percent(share.share)}{words.span(share.low, share.high)} of the error "
            f"is wrong labels (n = {share.n})"
        )
        if self.corrected is None:
            return f"{text}; review right examples too before a corrected error is read."
        mended = self.corrected
        return (
            f"{text}; with all labels mended it is about {words.percent(mended.share)}"
            f"{words.span(mended.low, mended.high)} instead of {words.percent(self.error)}."
        )


def label_noise(split: str, wrong: Stratum, right: Stratum) -> LabelNoise:
    """Return what wrong labels do to a split, from samples of its wrong and right examples."""
    total = wrong.population + right.population
    of_error = None
    if wrong.reviewed:
        ends = wilson(wrong.mislabeled, wrong.reviewed)
        of_error = _share(wrong.mislabeled / wrong.reviewed, ends, wrong.reviewed)
    of_labels = corrected = None
    if wrong.reviewed and right.reviewed and total:
        shares = np.array([wrong.population, right.population]) / total
        of_labels = _together(shares, (wrong.mislabeled, right.mislabeled), (wrong, right))
        stay = wrong.reviewed - wrong.flipped
        corrected = _together(shares, (stay, right.flipped), (wrong, right))
    return LabelNoise(
        split=split,
        error=wrong.population / total if total else 0.0,
        of_error=of_error,
        of_labels=of_labels,
        corrected=corrected,
    )


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """A value where wrong labels gather, or do not.

    Attributes:
        column, value: as ``labels`` and ``7 → 1``.
        mislabeled, n: wrong labels among the reviewed examples of that value.
        rest: share of wrong labels among the other reviewed examples.
        p_value: Fisher's exact test, one-sided, under Benjamini and Yekutieli's control.
        systematic: whether it is below 5 %.
    """

    column: str
    value: str
    mislabeled: int
    n: int
    rest: float
    p_value: float
    systematic: bool


def gathered(
    mislabeled: NDArray[np.bool_], columns: Mapping[str, NDArray[np.str_]]
) -> tuple[Gathered, ...]:
    """Return where wrong labels gather, the surest first.

    Args:
        mislabeled: (n,) of the reviewed examples, whose label was wrong.
        columns: name → (n,) values to look by: the pair of label and suggestion, source, annotator.
    """
    found = []
    for column, values in columns.items():
        for value in np.unique(values):
            inside = values == value
            bad, n = int(mislabeled[inside].sum()), int(inside.sum())
            others, m = int(mislabeled[~inside].sum()), int((~inside).sum())
            if bad >= LEAST and m:
                table = np.array([[bad, n - bad], [others, m - others]])
                p = float(stats.fisher_exact(table, alternative="greater").pvalue)
                found.append((column, str(value), bad, n, others / m, p))
    if not found:
        return ()
    adjusted = stats.false_discovery_control([row[-1] for row in found], method="by")
    made = [
        Gathered(
            column=column,
            value=value,
            mislabeled=bad,
            n=n,
            rest=rest,
            p_value=float(p),
            systematic=bool(p <= LEVEL),
        )
        for (column, value, bad, n, rest, _), p in zip(found, adjusted, strict=True)
    ]
    return tuple(sorted(made, key=lambda one: (one.p_value, -one.mislabeled, one.value)))


def kind_of(found: Sequence[Gathered], mislabeled: int) -> str:
    """Return one sentence on whether wrong labels are random or systematic (notes 4.11)."""
    systematic = [one for one in found if one.systematic]
    if systematic:
        first = systematic[0]
        return (
            f"Systematic: {first.mislabeled} of {first.n} reviewed with {first.column} "
            f"{first.value} are mislabeled, {words.percent(first.rest)} elsewhere. A network "
            "learns such errors; mend them in train too."
        )
    if mislabeled < LEAST:
        return f"{mislabeled} wrong labels are too few to tell random from systematic."
    return (
        "No sign that they are systematic: they do not gather in a class pair, a source or with an "
        "annotator. Networks are robust to random label errors in train."
    )


def as_json(value: Any) -> dict[str, Any]:
    """Return one of these findings as plain values, with its sentence."""
    document: dict[str, Any] = plain(asdict(value))
    return document | {"says": value.says}


def _share(value: float, ends: Interval, n: int) -> Share:
    return Share(share=value, low=ends.low, high=ends.high, n=n)


def _together(
    shares: NDArray[np.float64], counts: tuple[int, int], strata: tuple[Stratum, Stratum]
) -> Share:
    """Return the weighted sum of two strata's shares, its interval from Jeffreys' posteriors."""
    generator = np.random.default_rng(0)
    sizes = [one.reviewed for one in strata]
    drawn = [
        weight * jeffreys(count, n, DRAWS, generator)
        for weight, count, n in zip(shares, counts, sizes, strict=True)
    ]
    low, high = np.quantile(drawn[0] + drawn[1], _ENDS)
    value = float(sum(w * c / n for w, c, n in zip(shares, counts, sizes, strict=True)))
    return Share(
        share=value, low=min(float(low), value), high=max(float(high), value), n=sum(sizes)
    )
