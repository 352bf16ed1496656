"""The metrics that can be optimized or limited, by name (notes 4.3, 4.4).

===========================  =====================================================================
``error``, ``accuracy``      mean error of the split's examples, and 1 less it
``weighted_error``           with stated weights of kinds of error or of examples (notes 4.6)
``mean_error[COLUMN]``       the mean over the values of a column of the error of each (notes 4.3)
``precision``, ``recall``,   the mean over the classes (also ``f1_macro``); ``f1_weighted``: each
``f1``                       class by its examples; ``f1[cat]``: of one class
``map50``, ``map75``,        mean average precision of boxes at an overlap of 0.5, of 0.75, and
``map``                      the mean over 0.5 to 0.95 (COCO); ``map50[cat]``: of one class
``miou``                     intersection over union of masks, the mean over the classes
``latency_p50_ms``, …        what a network costs, measured: ``COSTS``
anything else                a metric of that name which the runs hold
===========================  =====================================================================
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gapwise.errors import UsageError, did_you_mean, shown

Kind = Literal["error", "table", "drawn", "cost", "logged"]

ERRORS: Final = ("error", "accuracy", "weighted_error", "mean_error")
FIGURES: Final = ("precision", "recall", "f1")
DRAWN: Final = ("map", "map50", "map75", "miou")
AVERAGES: Final = ("macro", "weighted")
COSTS: Final[Mapping[str, str]] = {
    "latency_p50_ms": "median time of a forward pass, milliseconds",
    "latency_p95_ms": "time that 95 % of the forward passes keep, milliseconds",
    "size_mb": "weights and buffers, millions of bytes",
    "parameters": "trainable parameters",
    "macs": "multiply-accumulates of one forward pass of one example",
    "memory_mb": "weights, buffers and most that is alive in a forward pass, millions of bytes",
}
NAMES: Final = (
    *("error", "accuracy", "weighted_error", "mean_error[COLUMN]"),
    *(f"{figure}{tail}" for figure in FIGURES for tail in ("", "_macro", "_weighted", "[CLASS]")),
    *(f"{figure}{tail}" for figure in DRAWN for tail in ("", "[CLASS]")),
    *COSTS,
)
_LOWER: Final = re.compile(
    r"(^|[/_.])(error|loss|latency|mae|rmse|mse|seconds|ms|mb|bytes)($|[/_.\[])"
)
_HIGHER: Final = re.compile(
    r"(^|[/_.])(accuracy|precision|recall|f1|auc|auroc|m?iou|map(50|75)?|r2)($|[/_.\[])"
)
_FORM: Final = re.compile(r"(?P<base>[^\[\]]+)(\[(?P<of>.+)\])?")
_DIRECTIONS: Final = {"min": False, "max": True}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One metric.

    Attributes:
        name: as it is written.
        kind: computed from errors, from a table of predicted by true classes, from boxes or masks
            (``drawn``), a cost of the network, or logged by whoever made the run.
        base: the name without what follows.
        of: the class or the column in brackets, "" without.
        average: of a figure that is no single class's: ``macro`` or ``weighted``.
        higher_is_better: None where the name does not tell.
    """

    name: str
    kind: Kind
    base: str
    of: str = ""
    average: str = ""
    higher_is_better: bool | None = None

    @property
    def is_fraction(self) -> bool:
        """Whether it lies in [0, 1] and is shown in percent."""
        return self.kind in ("error", "table", "drawn")


def measure(name: str) -> Measure:
    """Return what ``name`` means.

    Raises:
        UsageError: brackets that do not fit: ``mean_error`` without a column, ``error`` with one.
    """
    found = _FORM.fullmatch(name)
    base, of = (found["base"], found["of"] or "") if found else (name, "")
    better = bool(_HIGHER.search(base)) if _HIGHER.search(base) or _LOWER.search(base) else None
    if base in ERRORS:
        _check_brackets(name, base, of)
        return Measure(name=name, kind="error", base=base, of=of, higher_is_better=better)
    figure, _, average = base.partition("_")
    if figure in FIGURES and average in ("", *AVERAGES):
        if of and average:
            raise UsageError(
                f"metric {shown(name)!r} is of one class, or an average, not both; leave one out"
            )
        average = "" if of else average or AVERAGES[0]
        return Measure(
            name=name, kind="table", base=figure, of=of, average=average, higher_is_better=True
        )
    if base in DRAWN:
        return Measure(name=name, kind="drawn", base=base, of=of, higher_is_better=True)
    if base in COSTS and not of:
        return Measure(name=name, kind="cost", base=base, higher_is_better=False)
    return Measure(name=name, kind="logged", base=name, higher_is_better=better)


def to_optimize(text: str) -> Measure:
    """Return the metric that ``NAME``, ``min:NAME`` or ``max:NAME`` names; its direction is known.

    Raises:
        UsageError: the name does not tell whether higher is better, and nothing else does.
    """
    direction, colon, rest = text.partition(":")
    if colon and direction in _DIRECTIONS:
        found = measure(rest)
        return Measure(**{**vars(found), "higher_is_better": _DIRECTIONS[direction]})
    found = measure(text)
    if found.higher_is_better is None:
        near = did_you_mean(text, NAMES)
        raise UsageError(
            f"whether more of {shown(text)!r} is better is not known ({near}); write "
            f"max:{shown(text)} or min:{shown(text)}"
        )
    return found


def unknown(wanted: Measure, logged: Iterable[str], where: str) -> UsageError:
    """Return the error that says that no run holds ``wanted``, with the nearest names."""
    known = [*NAMES, *logged]
    return UsageError(
        f"no run of {shown(where)} has a metric {shown(wanted.name)!r}; "
        f"{did_you_mean(wanted.name, known)}"
    )


def _check_brackets(name: str, base: str, of: str) -> None:
    if base == "mean_error" and not of:
        raise UsageError("mean_error needs a column: mean_error[source] averages over the sources")
    if of and base != "mean_error":
        raise UsageError(
            f"metric {shown(name)!r}: {base} takes no brackets; mean_error[COLUMN] averages over "
            "the values of a column"
        )
