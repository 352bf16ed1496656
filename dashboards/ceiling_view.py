"""The parts of *Ceiling*: a system, its runs with steps made perfect, what each could gain."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from dashboards import carry, data, widgets
from dashboards.text import safe, said
from gapwise.diagnostics.steps import Ceiling, Gain, Setting
from gapwise.figures import words
from gapwise.figures.ceiling import Bar, ceiling

RECORD = "gapwise record with-find-perfect.csv --dataset visits --run-name find-perfect"
_APART = ";"
_MARKS = re.compile("[=;]")
"""What stands between steps, runs and settings in the URL."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The system's run, and ``STEP=RUN`` for each run of it with steps made perfect."""

    system: str
    perfect: tuple[str, ...]


def chosen() -> Asked | None:
    """Let people choose the system and its other runs; None, with help, where there are none."""
    names = data.comparable()
    if len(names) < 2:
        widgets.empty(
            "Two runs of one system are needed",
            "Record the system as it is, and again with the output of a step replaced by the "
            "truth; what the end error falls by is what that step could gain.",
            RECORD if names else widgets.TRAIN,
        )
        return None
    with widgets.chips("ceiling"):
        carry.put(run=data.newest_of(carry.get("run")))
        system = carry.choose("run", list(names), lambda key: f"System  {names[key]}", width=330)
    others = data.comparable(mate=system)
    with widgets.card("perfect", "Runs of the same system with steps made perfect"):
        named = _named(others)
    return Asked(system=system, perfect=named) if named else None


def look(asked: Asked) -> Ceiling:
    """Return what the steps can gain, on dev."""
    return data.ceiling(asked.system, asked.perfect)


def head(found: Ceiling) -> None:
    """The sentence that matters, and what it stands on."""
    title = "Undecided" if not found.decided else f"Work on :green[{safe(found.first)}] first"
    title = "Nothing is wrong" if found.first == "none" else title
    before, _, after = found.says[0].partition(": ")
    why = after or before  # the title says what stands before the colon
    with st.container(key="head", gap=None):
        st.markdown(f"# {title}")
        basis = f"Dev: {words.count(found.n, 'shared example')}."
        st.markdown(f":gray[{said(why[0].upper() + why[1:])} {basis}]")


def picture_and_gains(found: Ceiling) -> None:
    """The end error under each setting, and what each step takes off it."""
    left, right = st.columns([1.5, 1], gap="small")
    with left, widgets.card("ceilings", "End error as steps become perfect", fill=True):
        widgets.chart(ceiling([_bar(one) for one in found.settings]), "ceiling")
    with right, widgets.card("gains", "What each step can gain", "points, 95 %", fill=True):
        widgets.table([_row(gain) for gain in found.gains], numbers="gains")
        for sentence in found.says[1:]:
            st.caption(said(sentence))
        if any(gain.implied for gain in found.gains):
            st.caption("*: not measured; with every step perfect nothing is taken to be left.")


def _named(others: Mapping[str, str]) -> tuple[str, ...]:
    """Let people choose runs and say which steps each has perfect; it stands in the URL."""
    before = dict(_read(text) for text in (carry.get("perfect") or "").split(_APART) if text)
    picked = st.multiselect(
        "Runs, the one with the fewest perfect steps first",
        list(others),
        default=[run for run in before if run in others],
        format_func=lambda key: others[key],
        key="perfect-runs",
    )
    found = []
    columns = st.columns(max(2, len(picked)), gap="small")
    for place, run in enumerate(picked, start=1):
        usual = "+".join(f"step {number}" for number in range(1, place + 1))
        label = f"Steps that are perfect in {safe(others[run])}, joined by +"
        with columns[place - 1]:
            steps = st.text_input(label, before.get(run, usual), key=f"steps-{run}", max_chars=120)
        if named := _MARKS.sub("-", steps).strip():
            found.append(f"{named}={run}")
    carry.put(perfect=_APART.join(found) or None)
    if not picked:
        st.caption("Choose at least one: its labels and examples must be those of the system.")
    return tuple(found)


def _read(text: str) -> tuple[str, str]:
    steps, _, run = text.rpartition("=")
    return run, steps


def _bar(setting: Setting) -> Bar:
    label = f"perfect: {' + '.join(setting.perfect)}" if setting.perfect else "as it is"
    return Bar(label=label, error=setting.error, low=setting.low, high=setting.high)


def _row(gain: Gain) -> dict[str, str]:
    inside = words.span(gain.low, gain.high)
    size = words.points(gain.gain) + (f" ({inside})" if inside else "")
    return {"step": gain.step, "points": size + (" *" if gain.implied else "")}
