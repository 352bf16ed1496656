"""What sums up boxes and masks: mean average precision, intersection over union (notes 6.6).

These are no means of examples. Their variance comes from leaving out one of ``BLOCKS`` blocks of
examples at a time, groups kept whole (the grouped jackknife; Wolter, 2007), and is put into
Wilson's formula as that of other figures is.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gapwise.diagnostics.errors_by_split import group_keys
from gapwise.diagnostics.measures import Measure
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.forms import boxes, mask
from gapwise.records import Predictions
from gapwise.statistics.intervals import CONFIDENCE, Interval, score

BLOCKS: Final = 20
KINDS: Final = {"map": "boxes", "map50": "boxes", "map75": "boxes", "miou": "mask"}
THRESHOLDS: Final = {"map50": 0.5, "map75": 0.75}

Rows = NDArray[np.int64]


def figure_of(measure: Measure, predictions: Predictions) -> tuple[float | None, Interval | None]:
    """Return the figure and its 95 % interval; None for a figure that is undefined.

    Raises:
        DataError: the predictions are no boxes or masks, or there is no such class.
    """
    figure = _figure(measure, predictions)
    value = figure(np.arange(len(predictions)))
    if np.isnan(value):
        return None, None
    leave_out = _blocks(predictions)
    if len(leave_out) < 2:
        return value, None
    variance = _jackknife(np.array([figure(rows) for rows in leave_out]))
    most = float(len(predictions))
    size = most if variance <= 0 else min(most, value * (1 - value) / variance) or most
    quantile = float(stats.t(len(leave_out) - 1).ppf((1 + CONFIDENCE) / 2))
    return value, score(value, size, quantile)


def p_value_of(measure: Measure, first: Predictions, second: Predictions) -> float:
    """Return the two-sided p-value of no difference, from blocks left out of both runs at once.

    Args:
        measure: of the family ``KINDS``.
        first, second: on the same examples, in one order.
    """
    one, other = _figure(measure, first), _figure(measure, second)
    whole = np.arange(len(first))
    gap = one(whole) - other(whole)
    leave_out = _blocks(first)
    if len(leave_out) < 2 or not np.isfinite(gap):
        return 1.0
    deviation = float(np.sqrt(_jackknife(np.array([one(r) - other(r) for r in leave_out]))))
    if deviation == 0:
        return float(gap == 0)
    return float(2 * stats.t(len(leave_out) - 1).sf(abs(gap) / deviation))


def _figure(measure: Measure, predictions: Predictions) -> Callable[[Rows], float]:
    """Return what computes the figure of some rows."""
    wanted, labels = KINDS[measure.base], predictions.labels
    if labels.kind != wanted:
        raise DataError(
            f"{measure.name} is of {wanted}, but the predictions of {predictions.split} are of "
            f"{labels.told}; use error or accuracy"
        )
    names = labels.classes[0]
    if measure.of and measure.of not in names:
        raise DataError(
            f"{measure.name}: there is no class {shown(measure.of)!r}; "
            f"{did_you_mean(measure.of, names)}"
        )
    code = names.index(measure.of) if measure.of else None
    if wanted == "mask":
        return _Overlap(predictions, code).of
    return _AveragePrecision(predictions, THRESHOLDS.get(measure.base), code).of


class _Overlap:
    """Intersection over union of all known pixels together, the mean over the classes."""

    def __init__(self, predictions: Predictions, code: int | None) -> None:
        count = len(predictions.labels.classes[0])
        self._counts = np.zeros((len(predictions), count, count))
        self._code = code
        for row in range(len(predictions)):
            true = mask.read(str(predictions.target[row])).ravel().astype(np.int64)
            said = mask.read(str(predictions.predicted[row])).ravel().astype(np.int64)
            known = (true != mask.UNKNOWN_PIXEL) & (said != mask.UNKNOWN_PIXEL)
            places = true[known] * count + said[known]
            cells = np.bincount(places, minlength=count * count).reshape(count, count)
            self._counts[row] = cells * predictions.weight[row]

    def of(self, rows: Rows) -> float:
        table = self._counts[rows].sum(0)
        both = np.diag(table)
        union = table.sum(0) + table.sum(1) - both
        with np.errstate(invalid="ignore"):
            each = both / np.where(union > 0, union, np.nan)
        if self._code is not None:
            return float(each[self._code])
        return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


class _AveragePrecision:
    """COCO's average precision (Lin et al., 2014), by faster-coco-eval.

    Examples count alike: its protocol knows no weights.
    """

    def __init__(self, predictions: Predictions, threshold: float | None, code: int | None) -> None:
        self._threshold, self._code = threshold, code
        self._names = predictions.labels.classes[0]
        self._true = [self._rows(text) for text in predictions.target.tolist()]
        self._said = [self._rows(text) for text in predictions.predicted.tolist()]

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self._names)}

    def _rows(self, text: str) -> list[dict[str, Any]]:
        return [
            {
                "category_id": self._codes[box.name],
                "bbox": [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0],
                "area": (box.x1 - box.x0) * (box.y1 - box.y0),
                "score": box.score,
                "iscrowd": 0,
            }
            for box in boxes.read(text)
        ]

    def of(self, rows: Rows) -> float:
        # Late: other metrics do without.
        from faster_coco_eval import COCO, COCOeval_faster  # type: ignore[import-untyped]

        true, said = (_numbered(found, rows) for found in (self._true, self._said))
        if not true:
            return float("nan")
        if not said:
            return 0.0
        categories = [{"id": code, "name": name} for code, name in enumerate(self._names)]
        images = [{"id": int(row)} for row in rows]
        truth = COCO({"images": images, "annotations": true, "categories": categories})
        judge = COCOeval_faster(truth, truth.loadRes(said), "bbox", print_function=lambda *_: None)
        if self._threshold is not None:
            judge.params.iouThrs = np.array([self._threshold])
        judge.evaluate()
        judge.accumulate()
        # (thresholds, recalls, classes, sizes, most boxes): -1 where a class does not occur.
        precision = judge.eval["precision"][:, :, :, 0, -1]
        if self._code is not None:
            precision = precision[:, :, self._code]
        known = precision[precision > -1]
        return float(known.mean()) if known.size else float("nan")


def _numbered(found: Sequence[Sequence[dict[str, Any]]], rows: Rows) -> list[dict[str, Any]]:
    boxes_ = [{**one, "image_id": int(row)} for row in rows for one in found[row]]
    return [{**one, "id": number} for number, one in enumerate(boxes_, 1)]


def _blocks(predictions: Predictions) -> list[Rows]:
    """Return for each block the rows that are left without it."""
    keys = group_keys(predictions.group)
    units = np.arange(len(predictions)) if keys is None else np.unique(keys, return_inverse=True)[1]
    count = int(units.max()) + 1 if len(units) else 0
    block = (np.random.default_rng(0).permutation(count) % BLOCKS)[units]
    return [np.flatnonzero(block != one) for one in range(min(BLOCKS, count))]


def _jackknife(left_out: NDArray[np.float64]) -> float:
    known = left_out[np.isfinite(left_out)]
    spread = ((known - known.mean()) ** 2).sum() if len(known) else 0.0
    return float((len(known) - 1) / max(len(known), 1) * spread)
