"""The ceiling of a system of several steps: what is left to gain if a step were perfect (4.18).

Two views. *Ceilings*: the system is run again with the output of some steps replaced by the truth;
what the end error falls by is what those steps can gain at most. *Blame*: from the correctness of
each step alone, an end error is the fault of the first step that was wrong.

Everything is paired: the same examples under every setting.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from gapwise.diagnostics import words
from gapwise.diagnostics.errors_by_split import Columns, SplitErrors, summarise
from gapwise.diagnostics.steps import Blame, Ceiling, Errors, Gain, Scheme, Setting, System
from gapwise.errors import DataError, shown
from gapwise.statistics.paired_mean import PairedMean, paired_mean

LEVEL = 0.05
FEW = 30
REST = "the rest"
NOBODY = "no step"


def ceiling(system: System) -> Ceiling:
    """Return what each step can gain, whose fault the errors are, and where to work first.

    Raises:
        DataError: no example, settings that are neither nested nor one step each, or nothing that
            tells the steps apart.
    """
    scheme = _scheme(system)
    gains, vectors = _gains(system, scheme)
    blame, faults = _blame(system)
    if not gains and not blame:
        raise DataError(
            "nothing tells the steps apart; give end errors with a step made perfect "
            "(error_perfect_STEP), or whether each step was right (correct_STEP)"
        )
    first, why = _first(system, vectors or faults)
    settings = (_setting(system, ()), *(_setting(system, key) for key in _ordered(system)))
    return Ceiling(
        steps=system.steps,
        n=len(system.error),
        scheme=scheme,
        settings=settings,
        gains=gains,
        blame=blame,
        first=first,
        decided=first != "undecided",
        says=(why, *_sentences(settings[0], gains, blame)),
    )


def _scheme(system: System) -> Scheme | None:
    keys = _ordered(system)
    if not keys:
        return None
    if all(key == system.steps[: len(key)] for key in keys):
        return "cumulative"
    if all(len(key) == 1 for key in keys):
        return "alone"
    told = "; ".join("+".join(key) for key in keys)
    raise DataError(
        f"the settings ({shown(told)}) are neither one step each nor each step on top of those "
        f"before it in the order {', '.join(map(shown, system.steps))}; leave some out, or name "
        "the order with --steps"
    )


def _ordered(system: System) -> list[tuple[str, ...]]:
    order = {step: place for place, step in enumerate(system.steps)}
    return sorted(system.perfect, key=lambda key: (len(key), [order[step] for step in key]))


def _gains(system: System, scheme: Scheme | None) -> tuple[tuple[Gain, ...], dict[str, Errors]]:
    """Return the gain of each step, and what it gains on each example."""
    found: list[Gain] = []
    vectors: dict[str, Errors] = {}
    chain: list[tuple[tuple[str, ...], Errors]] = [((), system.error)]
    for key in _ordered(system):
        before = chain[-1] if scheme == "cumulative" else chain[0]
        step = "+".join(key[len(before[0]) :])
        vectors[step] = before[1] - system.perfect[key]
        found.append(_gain(system, step, before[0], vectors[step]))
        chain.append((key, system.perfect[key]))
    if scheme == "cumulative" and len(chain[-1][0]) < len(system.steps):
        step = "+".join(system.steps[len(chain[-1][0]) :])
        vectors[step] = chain[-1][1]
        found.append(_gain(system, step, chain[-1][0], vectors[step], implied=True))
    return tuple(found), vectors


def _gain(
    system: System, step: str, after: tuple[str, ...], vector: Errors, implied: bool = False
) -> Gain:
    mean = _mean(system, vector)
    low, high = mean.low, mean.high
    if implied:  # what is left is an error rate: it cannot fall below 0
        left = _summed(system, vector).interval
        low, high = (left.low, left.high) if left else (None, None)
    return Gain(step=step, after=after, gain=mean.mean, low=low, high=high,
                p_value=mean.p_value, implied=implied)  # fmt: skip


def _blame(system: System) -> tuple[tuple[Blame, ...], dict[str, Errors]]:
    """Return whose fault the end errors are, and the error that each step bears by example."""
    if not system.right:
        return (), {}
    known = [step for step in system.steps if step in system.right]
    unblamed = np.ones(len(system.error), bool)
    wrong_end = int((system.error > 0).sum())
    found: list[Blame] = []
    vectors: dict[str, Errors] = {}
    for step in (*known, NOBODY):
        faulty = unblamed if step == NOBODY else unblamed & ~system.right[step]
        unblamed = unblamed & ~faulty
        vector = np.where(faulty, system.error, 0.0)
        errors = _summed(system, vector)
        count = int((vector > 0).sum())
        inside = errors.interval
        found.append(
            Blame(
                step=step,
                count=count,
                share=count / wrong_end if wrong_end else 0.0,
                points=errors.rate,
                low=inside.low if inside else None,
                high=inside.high if inside else None,
                forgiven=0 if step == NOBODY else int((faulty & (system.error == 0)).sum()),
            )
        )
        if step != NOBODY:
            vectors[step] = vector
    return tuple(found), vectors


def _first(system: System, vectors: Mapping[str, Errors]) -> tuple[str, str]:
    """Return the step whose gain is surely above 0 and above every other's, and a sentence.

    The winner is chosen by the same data, so each comparison with another step is held to 5 %
    divided by their number (Bonferroni).
    """
    if not (system.error > 0).any():
        return "none", f"No end error in {len(system.error):,} examples: no step can gain."
    means = {step: _mean(system, vector) for step, vector in vectors.items()}
    ranked = sorted(means, key=lambda step: -means[step].mean)
    best, others = ranked[0], ranked[1:]
    told = f"{shown(best)} can gain the most, {_points(means[best])}"
    if means[best].mean <= 0 or means[best].p_value >= LEVEL:
        return "undecided", f"Undecided: no step surely gains; {told}."
    if not others:
        return best, f"{told[0].upper()}{told[1:]}; no other step was measured."
    contrasts = {step: _mean(system, vectors[best] - vectors[step]) for step in others}
    close = [s for s, mean in contrasts.items() if mean.p_value >= LEVEL / len(others)]
    if close:
        beside = words.listed([shown(step) for step in close])
        return "undecided", f"Undecided: {told}, but cannot be told from {beside}."
    second = others[0]
    ahead = contrasts[second]
    sentence = (
        f"Work on {shown(best)} first: it can gain {_points(means[best])}, surely more than "
        f"{shown(second)}: {_points(ahead)} more."
    )
    return best, sentence


def _sentences(end: Setting, gains: Sequence[Gain], blame: Sequence[Blame]) -> list[str]:
    says = []
    if end.n < FEW:
        says.append(f"{end.n} examples are few: fewer than {FEW} seldom decide anything.")
    for gain in gains:
        if gain.gain < 0:
            says.append(
                f"With {shown(gain.step)} perfect the end errs more, by "
                f"{words.points(-gain.gain)}{words.span(_minus(gain.high), _minus(gain.low))}: "
                "what comes after it has learnt from its faults."
            )
    nobody = next((one for one in blame if one.step == NOBODY and one.count), None)
    if nobody is not None:
        says.append(
            f"{nobody.count:,} end errors ({words.percent(nobody.share)} of them) have every step "
            "right: look at how steps are joined, and at the labels of the end."
        )
    return says


def _setting(system: System, key: tuple[str, ...]) -> Setting:
    errors = _summed(system, system.perfect[key] if key else system.error)
    inside = errors.interval
    low, high = (inside.low, inside.high) if inside else (None, None)
    return Setting(perfect=key, error=errors.rate, low=low, high=high, n=errors.n)


def _summed(system: System, error: Errors) -> SplitErrors:
    columns = Columns(where="the system", error=error, weight=system.weight, group=system.group)
    return summarise(columns)


def _mean(system: System, vector: Errors) -> PairedMean:
    return paired_mean(vector, system.weight, system.group)


def _points(mean: PairedMean) -> str:
    return f"{words.points(mean.mean)}{words.span(mean.low, mean.high)}"


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
