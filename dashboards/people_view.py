"""The parts of *People*: measures, recognition, enrolment, and the map of encodings (notes 7)."""

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboards import choosing, data, frame, fresh, network_data, who, widgets
from dashboards.text import safe, said
from gapwise.errors import DataError, GapwiseError
from gapwise.figures import words
from gapwise.figures.encodings import Point, encodings
from gapwise.settings import Settings
from gapwise.statistics.verification import Measured
from gapwise.tasks.verify import Verify
from gapwise.workflows.encoding_map import encoding_map
from gapwise.workflows.gallery import Gallery, Recognised, gallery_of
from gapwise.workflows.trained_run import TrainedRun
from gapwise.workflows.verification import SplitVerified, Verified, open_verifier, verify

KINDS = ["png", "jpg", "jpeg", "webp"]
FACE = 96
"""Width of an enrolled picture, in pixels."""


def chosen() -> str | None:
    """Let people choose a run that verifies; None, with help, where there is none."""
    known = _verifiers(fresh.runs_mark())
    if not known:
        widgets.empty(
            "No run tells people apart yet",
            "Train a pipeline with `task: verify`: it learns encodings by which people who never "
            "trained are told apart.",
            "gapwise train faces",
        )
        return None
    with widgets.chips("people"):
        return choosing.run_of(known)


def head(run: str) -> None:
    """How well it tells one person from two, on dev."""
    found = _verified(run, fresh.runs_mark())
    dev = next((split for split in found.splits if split.split == "dev"), None)
    with st.container(key="head", gap=None):
        area = "–" if dev is None or dev.auroc is None else f"{dev.auroc.value:.3f}"
        st.markdown(f"# A pair of one person is nearer in :green[{area}] of cases")
        people = words.count(dev.people, "person", "people") if dev else "nobody"
        st.markdown(
            f":gray[AUROC on dev, {people} who never trained. Two pictures are held for one person "
            f"up to a distance of {found.threshold:.3f}, chosen on dev. Intervals are by person.]"
        )
    if dev is not None:
        _tiles(dev)


def gallery(run: str) -> None:
    """Whom a picture shows, and who is enrolled."""
    # The network is kept; who is enrolled is read anew, for others may enroll too.
    opened = gallery_of(*_verifier(run, fresh.runs_mark()), Settings.read())
    left, right = st.columns([1, 1.4], gap="small")
    with left, widgets.card("recognise", "Who is it?", "one picture", fill=True):
        asked = st.file_uploader("A picture of somebody", KINDS, key=f"asked-{run}")
        if asked is not None:
            _recognise(opened, asked)
        elif not opened.entries:
            st.caption("Nobody is enrolled yet: enroll somebody first.")
    note = f"{words.count(len(opened.people), 'person', 'people')}; nothing is trained"
    with right, widgets.card("enrolled", "Gallery", note, fill=True):
        _enroll(opened, run)
        _enrolled(opened, run)


def encodings_of(run: str) -> None:
    """The map of dev's encodings."""
    with widgets.card("map", "Map of the encodings of dev", "ringed: another's is nearest"):
        try:
            points = _points(run, fresh.runs_mark())
        except DataError as error:
            st.caption(said(str(error)))
            return
        widgets.chart(encodings(points), "encodings")
        st.caption("Pictures that the network finds alike lie together (t-SNE).")


def _tiles(dev: SplitVerified) -> None:
    measures: list[tuple[str, str, Measured | None]] = [
        ("accepts", "False accepts", dev.false_accepts),
        ("rejects", "False rejects", dev.false_rejects),
        ("recognised", "Recognised, 1:K", dev.recognised),
        ("strangers", "Strangers named", dev.strangers_named),
        ("one-shot", "One-shot, 5 people", dev.one_shot),
    ]
    for column, (name, label, found) in zip(st.columns(5, gap="small"), measures, strict=True):
        with column:
            value = "–" if found is None else words.percent(found.value)
            inside = found.interval if found else None
            span = words.span(inside.low, inside.high) if inside else ""
            widgets.tile(name, label, value, span or "too few people for an interval")


def _recognise(opened: Gallery, asked: UploadedFile) -> None:
    try:
        found = opened.recognise(asked.name, asked.getvalue())
    except GapwiseError as error:
        frame.told(error)
        return
    left, right = st.columns([1, 1.5])
    left.image(asked.getvalue(), width=150)
    with right:
        st.markdown(f"## {_who(found)}")
        st.caption(f"distance {found.distance:.3f}, at most {found.threshold:.3f} counts")
        near = [{"nearest": name, "distance": f"{far:.3f}"} for name, far in found.nearest]
        widgets.table(near, numbers="near")


def _who(found: Recognised) -> str:
    return f":green[{safe(found.name)}]" if found.name else "Nobody who is enrolled"


def _enroll(opened: Gallery, run: str) -> None:
    with st.form(f"enroll-{run}", clear_on_submit=True, border=False):
        left, right = st.columns([1, 2], gap="small")
        name = left.text_input("Name", max_chars=80)
        files = right.file_uploader("Pictures", KINDS, accept_multiple_files=True)
        asked = left.form_submit_button("Enroll", type="primary", disabled=not who.may("lead"))
    if not (asked and who.may("lead")):
        return
    try:
        opened.enroll(name, [(file.name, file.getvalue()) for file in files])
    except GapwiseError as error:
        frame.told(error)
        return
    st.rerun()


def _enrolled(opened: Gallery, run: str) -> None:
    for name, count in opened.people.items():
        place = [entry.name for entry in opened.entries].index(name)
        picture = opened.pictures[place]
        flat = picture[0] if len(picture) == 1 else np.moveaxis(picture, 0, -1)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.image(flat, width=FACE)
            entry = opened.entries[place]
            about = f"{words.count(count, 'picture')}, {safe(entry.by)}, {entry.at[:10]}"
            st.markdown(f"**{safe(name)}**  \n:small[:gray[{about}]]", width="stretch")
            if widgets.act("Forget", "lead", key=f"forget-{run}-{name}", width="content"):
                opened.forget(name)
                st.rerun()


@st.cache_resource(show_spinner=False, max_entries=4)
def _verifiers(at: fresh.Mark) -> dict[str, str]:
    return {run: name for run, name in network_data.trained().items() if _task(run) == "verify"}


def _task(run: str) -> str:
    return str(data.run(run).parameters.get("task.name", ""))


@st.cache_resource(show_spinner=False, max_entries=8)
def _verified(run: str, at: fresh.Mark) -> Verified:
    return verify(run, settings=Settings.read())


@st.cache_resource(show_spinner=False, max_entries=4)
def _verifier(run: str, at: fresh.Mark) -> tuple[TrainedRun, Verify]:
    return open_verifier(run, Settings.read())


@st.cache_resource(show_spinner=False, max_entries=8)
def _points(run: str, at: fresh.Mark) -> list[Point]:
    found = encoding_map(run, "dev", Settings.read())
    rows = zip(found.places.tolist(), found.people, found.ids, found.right, strict=True)
    return [
        Point(x=x, y=y, label=person, example_id=name, right=right)
        for (x, y), person, name, right in rows
    ]
