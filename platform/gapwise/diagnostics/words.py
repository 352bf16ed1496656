"""Numbers and names as the findings say them."""

from gapwise.records import Gap

GAPS = {
    "bias": "bias",
    "avoidable_bias": "avoidable bias",
    "variance": "variance",
    "data_mismatch": "data mismatch",
    "dev_overfit": "overfitting to dev",
    "field": "the step into use",
    "leak": "a leak",
    "label_noise": "label noise",
}
_RUNGS = {"train_dev": "train-dev", "field": "error in use"}


def of_gap(name: str) -> str:
    """Return a gap's name in words; a combined gap joins its parts with "and"."""
    return " and ".join(GAPS.get(part, part) for part in name.split("+"))


def of_rung(name: str) -> str:
    """Return a rung's name in words."""
    return _RUNGS.get(name, name)


def percent(fraction: float) -> str:
    """Return a fraction of 1 in percent: one decimal, two below 0.1 %."""
    value = 100 * fraction
    digits = 2 if 0 < abs(value) < 0.1 else 1
    return f"{value:.{digits}f} %".replace("-", "−")


def points(fraction: float) -> str:
    """Return a difference of fractions in percentage points."""
    return f"{100 * fraction:.1f} points".replace("-", "−")


def span(low: float | None, high: float | None) -> str:
    """Return " (low to high)" in percent or points, or that there is no interval."""
    if low is None or high is None:
        return " (no interval)"
    return f" ({100 * low:.1f} to {100 * high:.1f})".replace("-", "−")


def sure(probability: float) -> str:
    """Return a probability in percent; draws never prove certainty."""
    return "above 99.9 %" if probability > 0.999 else f"{100 * probability:.1f} %"


def gap(found: Gap) -> str:
    """Return a gap's size with its interval, in points."""
    return f"{points(found.gap)}{span(found.low, found.high)}"


def listed(names: list[str]) -> str:
    """Return names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
