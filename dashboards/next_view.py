"""The parts of *What next*: subject, ladder, next steps, tiles, findings, the notes' table."""

import streamlit as st

from dashboards import carry, data, experiment, navigation, widgets
from dashboards.headline import Headline
from dashboards.text import safe
from gapwise.diagnostics.matched import ROWS, Cell
from gapwise.diagnostics.parted import FEW, By, Parted
from gapwise.figures import words
from gapwise.figures.ladder import ladder
from gapwise.records import Diagnosis

MOST_STEPS = 6
MOST_PARTS = 15


def subject(page: str) -> data.Subject | None:
    """Let people choose experiment and run; None, with help, where there is nothing yet."""
    experiments = data.experiments()
    if not experiments:
        widgets.empty(
            "No runs yet", "Train a pipeline; its diagnosis then stands here.", widgets.TRAIN
        )
        return None
    with widgets.chips(page):
        known = {one.key: one for one in data.subjects(experiment.choose(experiments))}
        chosen = None
        if known:
            key = carry.choose("run", list(known), lambda key: f"Run  {known[key].name}", width=330)
            chosen = known[key]
            _test_chip(chosen)
    if chosen is None:
        widgets.empty(
            "No finished run in this experiment",
            "A run is diagnosed when it has finished; one that was stopped can go on.",
            "gapwise resume latest",
        )
    return chosen


def diagnosis(chosen: data.Subject) -> Diagnosis:
    """Return the diagnosis, with the test set only where it was asked for in this session."""
    return data.tests_seen().get(chosen.key) or data.diagnosis(chosen)


def head(says: Headline) -> None:
    """The sentence and the line below it."""
    with st.container(key="head", gap=None):
        st.markdown(says.title)
        st.markdown(f":gray[{says.below}]")


def ladder_and_steps(made: Diagnosis, chosen: data.Subject) -> None:
    """The picture on the left, what to do on the right."""
    left, right = st.columns([1.78, 1], gap="small")
    shown = any(rung.rung == "test" for rung in made.ladder)
    with left, widgets.card("ladder", "The error ladder", fill=True):
        hidden = "" if shown else "shown on request; each look is counted"
        widgets.chart(ladder(made.ladder, made.gaps, hidden=hidden), "ladder")
    with right, widgets.card("steps", "What to turn next", fill=True):
        knobs, before = made.knobs, data.facts(chosen).pipeline
        for place, knob in enumerate(knobs[:MOST_STEPS]):
            widgets.step(place, knob, before, made.run_id)
        if not knobs:
            st.caption("No knob acts on what this ladder shows.")


def tiles(made: Diagnosis, chosen: data.Subject) -> None:
    """Counts that a reader must know beside the ladder."""
    facts = data.facts(chosen)
    columns = st.columns(4, gap="small")
    looks = int(made.extra.get("test_looks", 0))
    with columns[0]:
        note = (
            "set aside while reading; see `gapwise data`" if facts.quarantined else "all were read"
        )
        tone = "orange" if facts.quarantined else ""
        widgets.tile("quarantine", "Quarantined", f"{facts.quarantined:,}", note, tone)
    with columns[1]:
        note = "each look makes the test set a little less fresh" if looks else "still fresh"
        widgets.tile("looks", "Test looks", f"{looks:,}", note, "violet" if looks else "")
    with columns[2]:
        _human(made)
    with columns[3]:
        note = f"{safe(facts.network)} · {facts.epochs}" if facts.epochs else safe(facts.network)
        widgets.tile("run", "Trained", facts.when, note)


def found(made: Diagnosis) -> None:
    """Every finding as a sentence, and what a reader must know of the data."""
    if made.findings:
        with widgets.card("findings", "Findings"):
            widgets.findings(made.findings)
            with st.container(horizontal=True):
                if st.button("Look at the errors", key="to-errors"):
                    navigation.go("Errors", run=made.run_id, view="wrong", tag=None, slice=None)
                noisy = any(one.diagnostic == "label-noise" for one in made.findings)
                if noisy and st.button("Review the labels", key="to-labels"):
                    navigation.go("Labels", run=made.run_id)


def matched(chosen: data.Subject) -> None:
    """The notes' 2×3 table of 4.14: human, trained-on and not-trained-on error."""
    table = data.matched_table(chosen)
    note = f"General: every source but the target; target: {safe(table.target) or 'the same data'}."
    with widgets.card("matched", "Who errs how much, and where", note):
        widgets.table(
            [
                {
                    "error of": row.capitalize() if row == "human" else f"Network, {row}",
                    "general distribution": _cell(table.cell(row, "general")),
                    "target distribution": _cell(table.cell(row, "target")),
                }
                for row in ROWS
            ]
        )


def parts(chosen: data.Subject) -> None:
    """The ladder of every source and class, those with the highest dev error first."""
    bys: tuple[By, ...] = ("source", "class")
    tables = {by: data.parted_ladder(chosen, by) for by in bys}
    shown = {by: found for by, found in tables.items() if len(found) > 1}
    if not shown:
        return
    with widgets.card("parts", "Where the errors are", "the highest last rung first"):
        tabs = st.tabs([f"By {by}" for by in shown])
        for tab, (by, found) in zip(tabs, shown.items(), strict=True):
            with tab:
                widgets.table([_part(by, one) for one in found[:MOST_PARTS]], numbers=f"by-{by}")
                if len(found) > MOST_PARTS:
                    st.caption(f"the first {MOST_PARTS} of {len(found)}")


def _part(by: str, one: Parted) -> dict[str, str]:
    row = {by: one.part}
    for rung in one.rungs:
        text = "undefined"
        if rung.n:
            text = widgets.plotted(rung.error, rung.low, rung.high)
            text += f", n = {rung.n}" if rung.n < FEW else ""
        row[words.of_rung(rung.rung).lower()] = text
    return row


def _test_chip(chosen: data.Subject) -> None:
    made = data.tests_seen().get(chosen.key)
    st.space("stretch")
    if made is not None:
        looks = words.count(int(made.extra.get("test_looks", 0)), "look")
        widgets.chip("test", f":gray[Test set] **shown** :gray[· {looks} so far]")
        return
    help_ = "Shows the test error and counts the look in the ledger: it is no dev set."
    if widgets.act("Show the test error", "lead", key="show-test", help=help_):
        data.tests_seen()[chosen.key] = data.look_at_test(chosen)
        st.rerun()


def _human(made: Diagnosis) -> None:
    level = next((rung for rung in made.ladder if rung.rung == "human"), None)
    if level is None:
        widgets.tile("human", "Human level", "not measured", "bias is counted from 0")
        return
    note = f"n = {level.n:,}" if level.n else "its n is not stated, so it has no interval"
    levels = made.extra.get("human_levels", ())
    named = next((one["name"] for one in levels if one["is_proxy"] and one["name"]), "")
    if len(levels) > 1:
        note = f"{safe(named or 'the lowest')} of {len(levels)} levels; {note}"
    widgets.tile("human", "Human level", widgets.plotted(level.error, level.low, level.high), note)


def _cell(cell: Cell) -> str:
    if cell.error is None:
        return f"– ({cell.why})"
    size = f", n = {cell.n:,}" if cell.n else ""
    return widgets.plotted(cell.error, cell.low, cell.high) + size
