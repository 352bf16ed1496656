"""The parts of *Errors*: run, split and view; the desk with its keys; what a sample is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import streamlit as st

from dashboards import carry, choosing, data, desk_data, example_data, sign_in, who, widgets
from dashboards.text import said
from gapwise.diagnostics.error_table import SAMPLE
from gapwise.figures import words
from gapwise.workflows.example_list import OF_OBJECTS, ExampleQuery

OWN: Final = ("view", "half", "words", "slice", "tag", "sample")
"""What this page alone has in its URL."""

VIEWS: Final[Mapping[str, str]] = {
    "wrong": "Wrong, at random",
    "right": "Right, at random",
    "error": "Highest error",
    "loss": "Highest loss",
    "unsure": "Least sure",
    "suspects": "Label most in doubt",
    "broken": "Broken since run B",
    "fixed": "Fixed since run B",
    "misses": "Most objects missed",
    "false-positives": "Most false boxes",
    "all": "All",
}
HALVES: Final[Mapping[str, str]] = {
    "all": "Whole split",
    "eyeball": "Eyeball half",
    "blackbox": "Black-box half",
}
SAMPLED: Final = ("wrong", "right")
FLIPS: Final = ("broken", "fixed")

_PARTS: Final = ("outbox.js", "dom.js", "error_table.js", "detail.js", "desk.js", "paint.js")
_HERE: Final = Path(__file__).parent.absolute() / "desk"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What people look at: a run, a split, a view of it, and the other run of flips."""

    run: str
    split: str
    query: ExampleQuery
    other: str = ""
    sample: int = 0


def chosen() -> Chosen | None:
    """Let people choose what to look at; None, with help, where there is no run."""
    names = data.comparable()
    if not names:
        widgets.empty(
            "No errors to look at yet",
            "Train a pipeline; look at what it gets wrong here, by the hundred, by keys.",
            widgets.TRAIN,
        )
        return None
    with widgets.chips("errors"):
        run = choosing.run_of(names)
        split = choosing.split_of(run)
        if split is None:
            return None
        others = data.comparable(mate=run)
        known = data.predictions(run, split).metadata
        views = [view for view in VIEWS if others or view not in FLIPS]
        views = [view for view in views if OF_OBJECTS.get(view, "") in ("", *known)]
        view = carry.choose("view", views, VIEWS.__getitem__, width=190, adopt=False)
        half = carry.choose("half", list(HALVES), HALVES.__getitem__, width=160, adopt=False)
        other = ""
        if view in FLIPS:
            other = carry.choose("other", list(others), lambda key: f"B  {others[key]}", width=300)
        query = ExampleQuery(view=view, half=half, **_filters())
    return Chosen(run=run, split=split, query=query, other=other, sample=_sample(view))


def head(found: Chosen) -> None:
    """How many there are, of what."""
    rows = desk_data.rows(found.run, found.split, found.query, found.other)
    table = data.predictions(found.run, found.split)
    split = words.of_rung(found.split).lower()
    of = f"of {len(table):,} {split} examples"
    parts = {"wrong": "are wrong", "right": "are right", "broken": "were broken"}
    parts |= {"fixed": "were fixed", "all": "are listed"}
    tail = parts.get(found.query.view, "are ranked")
    with st.container(key="head", gap=None):
        st.markdown(f"# {len(rows):,} {of} {tail}")
        st.markdown(f":gray[{said(_about(found, len(rows)))}]")


def desk(found: Chosen) -> None:
    """The desk, and further hundreds of a sample."""
    total = len(desk_data.rows(found.run, found.split, found.query, found.other))
    sampled = found.query.view in SAMPLED
    query = {
        "run": found.run,
        "split": found.split,
        **vars(found.query),
        "other": found.other,
        "sample": found.sample if sampled else 0,
    }
    result = component(
        {
            "mode": "errors",
            "query": query,
            "table": True,
            "hasPictures": example_data.has_pictures(found.run),
            "hasSounds": example_data.has_sounds(found.run),
            "hasMarks": data.predictions(found.run, found.split).labels.is_drawn,
            "author": who.here().name,
            "isSignedIn": sign_in.current().is_asked,
            "about": f"{min(found.sample, total):,} sampled (seed 0)" if sampled else "",
        },
        key="desk",
    )
    if result.get("tag"):
        carry.put(tag=str(result["tag"]))
        st.rerun()
    if sampled and total > found.sample and st.button(f"{SAMPLE} more of the sample"):
        carry.put(sample=str(found.sample + SAMPLE))
        st.rerun()


def matrix(found: Chosen) -> None:
    """The table as the notes draw it: rows examples, columns tags, comments; shares at the foot."""
    with st.expander("Every example that was read, by tag"):
        made = desk_data.whole_table(found.run, found.split, found.sample)
        if not made.examples:
            st.caption("None was read yet.")
            return
        columns: dict[str, list[str]] = {
            "example": [*(str(one["example_id"]) for one in made.examples), "share"]
        }
        for row in made.rows:
            marks = ["✓" if row.name in one["tags"] else "" for one in made.examples]
            columns[f"tag: {row.name}"] = [*marks, widgets.plotted(row.share, row.low, row.high)]
        columns["comment"] = [*(str(one["comment"]) for one in made.examples), ""]
        st.dataframe(columns, hide_index=True)
        st.caption(f"{len(made.examples):,} examples, {len(made.rows):,} tags.")


def component(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Show the desk's component; return what it triggered."""
    made = st.components.v2.component(
        "gapwise_desk",
        html='<div class="desk"></div>',
        css=(_HERE / "desk.css").read_text(encoding="utf-8"),
        js="\n".join((_HERE / part).read_text(encoding="utf-8") for part in _PARTS),
    )
    found: Mapping[str, Any] = made(
        data=dict(content), key=key, on_tag_change=nothing, on_saved_change=nothing
    )
    return found


def nothing() -> None:
    """What the desk tells reruns the page; there is nothing else to do."""


def class_keys(classes: Sequence[str], taken: str = "kanu") -> dict[str, str]:
    """Return key → class: a class of one letter or digit is its own key, else 1, 2, … 9, 0.

    ``taken`` holds the letters that mean something else on the page.
    """
    if all(len(name) == 1 and name.isalnum() and name.lower() not in taken for name in classes):
        return {name.lower(): name for name in classes}
    return dict(zip("1234567890", classes, strict=False))


def _filters() -> dict[str, str]:
    found = {name: carry.get(name) or "" for name in ("words", "slice", "tag")}
    label = " · ".join(filter(None, (found["words"], found["slice"], found["tag"]))) or "Filter"
    with st.popover(label[:40], width="content"):
        for name, title, hint in (
            ("words", "Search", "words in id, label, prediction, metadata"),
            ("slice", "Slice", "COLUMN=VALUE & COLUMN=VALUE, as on Slices"),
            ("tag", "Tag", "only examples with this tag"),
        ):
            key = f"filter-{name}"
            st.session_state[key] = found[name]
            st.text_input(title, key=key, placeholder=hint, on_change=_put, args=(name, key))
        if any(found.values()) and st.button("Clear"):
            carry.put(words=None, slice=None, tag=None)
            st.rerun()
    return found


def _put(name: str, key: str) -> None:
    carry.put(**{name: st.session_state[key] or None})


def _sample(view: str) -> int:
    text = carry.get("sample") or ""
    return max(SAMPLE, int(text)) if text.isdecimal() and len(text) < 7 else SAMPLE


def _about(found: Chosen, total: int) -> str:
    if found.query.view == "wrong":
        return (
            f"{min(found.sample, total):,} of them drawn at random, in an order that stays: read "
            "these, and each tag's share holds for all errors."
        )
    if found.query.view == "right":
        return (
            "Right answers drawn at random: fixing labels among wrong ones alone favours the run "
            "that was looked at (notes 4.11)."
        )
    return "Chosen, not drawn: good to learn from; shares are counted on the random sample alone."
