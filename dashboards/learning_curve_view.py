"""The parts of *Learning curve*: the answer, the picture, what more data gains, the points."""

import re

import streamlit as st

from dashboards import carry, data, widgets
from dashboards.text import safe, said
from gapwise.diagnostics.forecast import Forecast
from gapwise.figures import words
from gapwise.figures.learning_curve import learning_curve
from gapwise.workflows.curve_store import Curves, Variant

MAKE = "gapwise curve digits"
AS_IT_IS = "as it is"
NAMED = 0.005
"""Laws less probable than this are not named."""


def chosen() -> Curves | None:
    """Let people choose a pipeline that has a curve; None, with help, where none has."""
    known = data.learning_curves()
    if not known:
        widgets.empty(
            "No learning curve yet",
            "Train a pipeline on growing parts of its data; what more of it would give is then "
            "forecast here.",
            MAKE,
        )
        return None
    with widgets.chips("curve"):
        name = carry.choose("pipeline", list(known), lambda n: f"Pipeline  {n}", width=300)
    return known[name]


def head(curves: Curves) -> None:
    """The answer in one sentence, and what it stands on."""
    title, _, rest = curves.says.partition(": ")
    reason = rest[:1].upper() + rest[1:]
    curve = curves.variants[0].curve
    basis = (
        f"{words.count(len(curve.points), 'size')}, {words.count(len(curves.seeds), 'seed')} each, "
        f"dev n = {curve.n_dev:,.0f}; intervals are 95 %."
    )
    with st.container(key="head", gap=None):
        st.markdown(f"# {safe(title)}")
        st.markdown(f":gray[{said(reason)} {basis}]")


def picture_and_gains(curves: Curves) -> None:
    """The curves, and beside them what twice and ten times the data would give."""
    left, right = st.columns([2.2, 1], gap="small")
    drawn = {_label(one): one.curve for one in curves.variants}
    note = "rings and dashes are forecasts" if len(drawn) == 1 else "dev error, a colour a variant"
    with left, widgets.card("curve", "Error by training examples", note, fill=True):
        widgets.chart(learning_curve(drawn), "learning-curve")
    with right:
        for found in curves.variants[0].curve.forecasts:
            _gain(found)


def points_and_laws(curves: Curves) -> None:
    """What was measured, and which laws the forecast averages."""
    left, right = st.columns([2.2, 1], gap="small")
    with left, widgets.card("points", "What was measured", fill=True):
        widgets.table(_rows(curves.variants), numbers="points")
    with right, widgets.card("laws", "Laws averaged", "probability of each family", fill=True):
        families = curves.variants[0].curve.families
        shown = {law: share for law, share in families.items() if share >= NAMED}
        if shown:
            rows = sorted(shown.items(), key=lambda item: -item[1])
            widgets.table(
                [{"law": law, "probability": f"{100 * p:.0f} %"} for law, p in rows],
                numbers="laws",
            )
        else:
            st.caption("None: nothing is forecast.")
        st.code(f"gapwise curve {curves.pipeline}", language="bash")


def _label(one: Variant) -> str:
    """Return a variant's overrides without the sections that their keys stand in."""
    return re.sub(r"[\w.]+\.(\w+=)", r"\1", one.name) or AS_IT_IS


def _gain(found: Forecast) -> None:
    times = f"{found.factor:g} × the data"
    name = f"gain-{found.factor:g}"
    if found.gain is None or found.gap is None or found.gap_now is None:
        widgets.tile(name, times, "not forecast", said(f"{found.abstains}."), "gray")
        return
    inside = words.span(found.gain_low, found.gain_high)
    note = (
        f"off the dev error ({inside}), to {words.percent(found.error or 0.0)} "
        f"({words.span(found.low, found.high)}) at {found.size:,} examples. Train to dev: "
        f"{words.points(found.gap_now)} now, {words.points(found.gap)} then."
    )
    widgets.tile(name, times, f"{100 * found.gain:.1f} points", note, "green")


def _rows(variants: tuple[Variant, ...]) -> list[dict[str, str]]:
    several = len(variants) > 1
    return [
        ({"variant": one.name or AS_IT_IS} if several else {})
        | {
            "examples": f"{point.size:,}",
            "seeds": f"{point.seeds}",
            "train error": words.percent(point.train_error),
            "dev error": words.percent(point.dev_error),
            "95 %": words.span(point.dev_low, point.dev_high),
        }
        for one in variants
        for point in one.curve.points
    ]
