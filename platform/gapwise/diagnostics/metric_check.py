"""Does a metric rank runs as people do? (notes 4.6: if not, change the metric.)

A stated preference is held against the metric by a paired test: the metric *agrees* when the
preferred run is surely better by it, *contradicts* when it is surely worse, and is *undecided*
where chance alone could give the difference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gapwise.diagnostics.measured import Value
from gapwise.diagnostics.measures import Measure

LEVEL = 0.05

Answer = Literal["agrees", "contradicts", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One preference against a metric: what it says, with the p-value of no difference."""

    better: str
    worse: str
    answer: Answer
    p_value: float | None


@dataclass(frozen=True, kw_only=True)
class MetricCheck:
    """A metric against all stated preferences.

    Attributes:
        metric: its name.
        pairs: one a preference.
        ranking: run ids, the best by the metric first; runs without a value come last.
    """

    metric: str
    pairs: tuple[Pair, ...]
    ranking: tuple[str, ...]

    def count(self, answer: Answer) -> int:
        """Return how many preferences got an answer."""
        return sum(pair.answer == answer for pair in self.pairs)

    @property
    def says(self) -> str:
        """One sentence."""
        total = len(self.pairs)
        if not total:
            return f"{self.metric}: no preference is stated."
        parts = [
            f"{self.count('agrees')} agree",
            f"{self.count('contradicts')} contradict",
            f"{self.count('undecided')} undecided",
        ]
        return f"{self.metric}: of {total} stated preferences {', '.join(parts)}."


def metric_check(
    measure: Measure,
    values: Mapping[str, Value],
    preferences: Sequence[tuple[str, str]],
    p_value: Callable[[str, str], float] | None = None,
) -> MetricCheck:
    """Hold stated preferences against a metric.

    Args:
        measure: the metric; its direction is known.
        values: run id → value.
        preferences: (better, worse) run ids; pairs of which a run has no value are undecided.
        p_value: the paired test of two runs; None: values are compared as they are.
    """
    sign = 1.0 if measure.higher_is_better else -1.0

    def worth(run: str) -> float | None:
        value = values[run].value if run in values else None
        return None if value is None else sign * value

    pairs = []
    for better, worse in preferences:
        ours, theirs = worth(better), worth(worse)
        answer: Answer = "undecided"
        p = None
        if ours is not None and theirs is not None:
            p = p_value(better, worse) if p_value else float(ours == theirs)
            if p < LEVEL and ours != theirs:
                answer = "agrees" if ours > theirs else "contradicts"
        pairs.append(Pair(better=better, worse=worse, answer=answer, p_value=p))
    known = sorted((run for run in values if worth(run) is not None), key=lambda r: (-worth(r), r))  # type: ignore[operator]
    unknown = sorted(run for run in values if worth(run) is None)
    return MetricCheck(metric=measure.name, pairs=tuple(pairs), ranking=(*known, *unknown))


def advice(before: MetricCheck, after: MetricCheck | None) -> str:
    """Return what to do about the metric, in one sentence (notes 4.6).

    Args:
        before: the metric in use.
        after: one that might take its place.
    """
    if not before.pairs:
        return "Nobody has said which of two runs is better, so no metric can be held against it."
    wrong = before.count("contradicts")
    if after is not None and after.metric != before.metric:
        better = after.count("contradicts") < wrong or (
            after.count("contradicts") == wrong and after.count("agrees") > before.count("agrees")
        )
        if better:
            return (
                f"{after.metric} ranks as people do more often than {before.metric}: change to it."
            )
        return f"{after.metric} ranks no better than {before.metric} by what people prefer."
    if wrong:
        return (
            f"{before.metric} ranks against what people prefer: change it, for example by weighing "
            "the mistakes that people mind (--weigh)."
        )
    if before.count("agrees"):
        return f"{before.metric} ranks as people do."
    return "Nothing is decided: state more preferences, or use more dev examples."
