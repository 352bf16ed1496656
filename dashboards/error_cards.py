"""Cards on the errors of one split: what is taken for what, by class, in the target's own unit.

A table of several labels shows each of them in a tab of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from dashboards import breakdown, by_label, numbers, widgets
from dashboards.text import safe
from gapwise.figures import palette, words
from gapwise.figures.agreement import agreement
from gapwise.figures.confusion import confusion
from gapwise.figures.intervals import Estimate, intervals
from gapwise.figures.residuals import residuals
from gapwise.records import Predictions

MOST_CLASSES = 24

Part = Callable[[Predictions, str], None]


def answers(table: Predictions | None) -> None:
    """What the network says against what is true."""
    if table is not None and table.labels.kind == "number":
        with widgets.card("agreement", "Predicted against true", split_note(table), fill=True):
            some = numbers.points(table)
            name, color = numbers.name_of(table), _color(table.split)
            widgets.chart(agreement(some.true, some.predicted, name=name, color=color), "agreement")
            if len(some.true) < len(table):
                st.caption(f"{len(some.true):,} of {len(table):,} examples.")
        return
    with widgets.card("confusion", "Label → prediction", split_note(table), fill=True):
        if table is None:
            st.caption("Predictions are written when a run finishes.")
        else:
            _each_label(table, _confusion)


def errors(table: Predictions) -> None:
    """Errors by class, label or range, each with interval and n, and what sums them up."""
    whole = breakdown.overall(table)
    if table.labels.kind == "number":
        _of_numbers(table, whole)
    else:
        _of_classes(table, whole)
    sources = breakdown.by_source(table)
    if sources:
        with widgets.card("sources", "Error by source", "95 % intervals"):
            _estimates(sources, whole, "sources")


def split_note(table: Predictions | None) -> str:
    """Return the split's name and size."""
    return f"{words.of_rung(table.split)}, {len(table):,} examples" if table else ""


def _of_numbers(table: Predictions, whole: Estimate) -> None:
    name = safe(numbers.name_of(table))
    left, right = st.columns([1.25, 1], gap="small")
    with left, widgets.card("ranges", f"Error by {name}", _overall_note(whole), fill=True):
        _estimates(numbers.by_range(table), whole, "ranges")
    with right, widgets.card("units", "In its own unit", name, fill=True):
        _in_unit(table)
        found = numbers.histogram(table)
        color = _color(table.split)
        figure = residuals(found.edges, found.counts, name=numbers.name_of(table), color=color)
        widgets.chart(figure, "residuals")
        if found.beyond:
            st.caption(f"{found.beyond:,} of {len(table):,} examples lie beyond what is drawn.")


def _of_classes(table: Predictions, whole: Estimate) -> None:
    if table.labels.kind == "several":
        with widgets.card("labels", "Error by label", "of the examples where it is known"):
            parts = by_label.parts(table)
            rows = [replace(breakdown.overall(part), label=name) for name, part in parts.items()]
            _estimates(rows, whole, "labels")
    left, right = st.columns([1.25, 1], gap="small")
    with left, widgets.card("classes", "Error by class", _overall_note(whole), fill=True):
        _each_label(table, _by_class)
    with right, widgets.card("quality", "Precision, recall, F1", "the lowest F1 first", fill=True):
        _each_label(table, _quality)


def _each_label(table: Predictions, show: Part) -> None:
    """Show a table of one label as it is, of several each in a tab of its own."""
    if table.labels.kind != "several":
        show(table, "")
        return
    parts = by_label.parts(table)
    tabs = st.tabs([safe(words.short(name, 30)) for name in parts])
    for place, (tab, part) in enumerate(zip(tabs, parts.values(), strict=True)):
        with tab:
            show(part, f"-{place}")


def _confusion(table: Predictions, key: str) -> None:
    counts = breakdown.confusion(table)
    if counts is None:
        st.caption("This task has no classes.")
    elif len(table.classes) > MOST_CLASSES:
        st.caption(f"{len(table.classes)} classes are too many to draw; see the errors by class.")
    else:
        widgets.chart(confusion(counts, table.classes), f"confusion{key}")


def _by_class(table: Predictions, key: str) -> None:
    classes = breakdown.by_class(table)[:MOST_CLASSES]
    if classes:
        _estimates(classes, breakdown.overall(table), f"classes{key}")
    else:
        st.caption("This task has no classes.")


def _quality(table: Predictions, key: str) -> None:
    rows = [
        {
            "class": one.name,
            "precision": _share(one.precision),
            "recall": _share(one.recall),
            "F1": _share(one.f1),
        }
        for one in breakdown.quality(table)[:MOST_CLASSES]
    ]
    if rows:
        widgets.table(rows, numbers=f"quality{key}")
        st.caption("–: not defined, since no example is of that class or said to be.")


def _in_unit(table: Predictions) -> None:
    found = numbers.in_unit(table)
    rows = [
        {"": "mean absolute error", "value": numbers.told(found.mae)},
        {"": "median absolute error", "value": numbers.told(found.median)},
        {"": "root mean squared error", "value": numbers.told(found.rmse)},
        {"": "bias (predicted − true)", "value": numbers.told(found.bias)},
        {"": "R²", "value": "–" if found.r2 is None else f"{found.r2:.3f}"},
    ]
    widgets.table(rows, numbers="units")


def _estimates(rows: Sequence[Estimate], whole: Estimate, key: str) -> None:
    widgets.chart(intervals(rows, overall=whole.error, color=_color(whole.label)), key)


def _color(split: str) -> str:
    return palette.SPLITS.get(split, palette.RED)


def _share(value: float | None) -> str:
    return "–" if value is None else words.percent(value)


def _overall_note(whole: Estimate) -> str:
    shown = widgets.plotted(whole.error, whole.low, whole.high)
    return f"{words.of_rung(whole.label)} {shown}, n = {whole.n:,}"
