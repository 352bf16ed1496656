"""The parts of *Slices*: run and split, the answer, weak slices, the error by each column."""

import streamlit as st

from dashboards import choice_data, choosing, data, navigation, widgets
from dashboards.text import safe, said
from gapwise.diagnostics.slices import Slice
from gapwise.figures import words
from gapwise.figures.intervals import Estimate, intervals
from gapwise.workflows.slices import Sliced

MOST_VALUES = 12
MOST_LINKS = 3


def chosen() -> tuple[str, str] | None:
    """Let people choose a run and a split; None, with help, where there is no run."""
    names = data.comparable()
    if not names:
        widgets.empty(
            "No run to slice yet",
            "Train a pipeline; its errors are then broken down here by everything that is known of "
            "the examples.",
            widgets.TRAIN,
        )
        return None
    with widgets.chips("slices"):
        run = choosing.run_of(names)
        split = choosing.split_of(run)
        if split is None:
            return None
    return run, split


def sliced(run: str, split: str) -> Sliced:
    """Return the error by column and the weak slices."""
    return choice_data.slices(run, split)


def head(found: Sliced) -> None:
    """The answer in one sentence, and what it stands on."""
    confirmed = [one for one in found.weak if one.confirmed]
    title = "No slice is surely weak"
    if confirmed:
        worst = max(confirmed, key=lambda one: one.error or 0.0)
        title = f"Weakest: :red[{safe(worst.name)}]"
    basis = (
        f"{words.of_rung(found.split)}, n = {found.n:,}, error {words.percent(found.error)}; found "
        "on one half, confirmed on the other; intervals are 95 %."
    )
    with st.container(key="head", gap=None):
        st.markdown(f"# {title}")
        st.markdown(f":gray[{said(found.says)} {basis}]")


def weak(found: Sliced) -> None:
    """The slices that stood out, those confirmed first."""
    with widgets.card("weak", "Weak slices", "up to three columns together"):
        if found.weak:
            widgets.table([_row(one) for one in found.weak], numbers="weak")
            with st.container(horizontal=True):
                for place, one in enumerate(found.weak[:MOST_LINKS]):
                    if st.button(f"Errors of {safe(one.name, 60)}", key=f"errors-{place}"):
                        navigation.go("Errors", view="wrong", slice=one.name, tag=None, words=None)
        else:
            st.caption("None stood out.")


def columns(found: Sliced) -> None:
    """The error of every value of every column, two columns a row."""
    known = list(found.columns.items())
    for start in range(0, len(known), 2):
        for place, (name, values) in zip(
            st.columns(2, gap="small"), known[start : start + 2], strict=False
        ):
            with place, widgets.card(f"column-{name}", f"By {safe(name)}", fill=True):
                shown = [one for one in values if one.error is not None][:MOST_VALUES]
                rows = [_estimate(one) for one in shown]
                widgets.chart(intervals(rows, overall=found.error), f"column-{name}")
                if len(values) > MOST_VALUES:
                    st.caption(f"the first {MOST_VALUES} of {len(values)}")
    if found.skipped:
        st.caption(said(f"Skipped, as they tell nothing: {', '.join(found.skipped)}."))


def _estimate(one: Slice) -> Estimate:
    return Estimate(
        label=one.terms[0][1], error=one.error or 0.0, low=one.low, high=one.high, n=one.n
    )


def _row(one: Slice) -> dict[str, str]:
    return {
        "slice": one.name,
        "error": widgets.plotted(one.error or 0.0, one.low, one.high),
        "n": f"{one.n:,}",
        "elsewhere": words.percent(one.rest) if one.rest is not None else "–",
        "p": "" if one.p_value is None else f"{one.p_value:.2g}",
        "": "confirmed" if one.confirmed else "not confirmed",
    }
