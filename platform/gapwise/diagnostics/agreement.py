"""How far two people agree: Cohen (1960), "A coefficient of agreement for nominal scales"."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]

from gapwise.diagnostics import words


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two people agree on the same labels: Cohen's κ (1960) with its 95 % interval."""

    n: int
    agree: float
    kappa: float | None
    low: float | None
    high: float | None

    @property
    def says(self) -> str:
        """One sentence."""
        if not self.n:
            return "Nobody gave a second opinion yet."
        text = f"Two people agree on {words.percent(self.agree)} of {self.n:,} labels"
        if self.kappa is None:
            return f"{text}; κ is undefined, as all answers are one class."
        ends = "" if self.low is None else f" ({self.low:.2f} to {self.high:.2f})"
        return f"{text}; κ = {self.kappa:.2f}{ends}."


def agreement(first: Sequence[str], second: Sequence[str]) -> Agreement:
    """Return how far two people's answers to the same examples agree."""
    n = len(first)
    if not n:
        return Agreement(n=0, agree=0.0, kappa=None, low=None, high=None)
    a, b = np.array(first, np.str_), np.array(second, np.str_)
    names, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    agree = float((a == b).mean())
    if len(names) < 2:
        return Agreement(n=n, agree=agree, kappa=None, low=None, high=None)
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (codes[:n], codes[n:]), 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # of few answers it knows no spread
        found = cohens_kappa(counts)
    ends = (float(found.kappa_low), float(found.kappa_upp))
    known = bool(np.isfinite(ends).all())
    return Agreement(
        n=n,
        agree=agree,
        kappa=float(found.kappa),
        low=max(-1.0, ends[0]) if known else None,
        high=min(1.0, ends[1]) if known else None,
    )
