"""The parts of *Compare*: the pair, the difference with its interval, flips, knobs changed."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboards import breakdown, carry, choice_data, data, widgets
from dashboards.gallery import flipped
from dashboards.text import safe, said
from gapwise.diagnostics.compare import Comparison
from gapwise.figures import words
from gapwise.figures.difference import difference

MOST_PICTURES = 16
MOST_ROWS = 10

# Errors of 0 and 1 flip; those that are fractions grow and shrink.
KINDS = {
    False: {
        "fixed": ("Fixed", "wrong in A, right in B"),
        "broken": ("Broken", "right in A, wrong in B"),
    },
    True: {
        "fixed": ("Bettered", "errs less in B than in A"),
        "broken": ("Worsened", "errs more in B than in A"),
    },
}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two runs, their names, and the split that they are compared on."""

    a: str
    b: str
    name_a: str
    name_b: str
    split: str


def chosen_pair() -> Pair | None:
    """Let people choose two runs and a split; None, with help, where there are no two."""
    names = data.comparable()
    if len(names) < 2:
        widgets.empty(
            "Two finished runs are needed",
            "Change one knob, train again, and see here what it did.",
            "gapwise train digits training.epochs=5",
        )
        return None
    with widgets.chips("compare"):
        carry.put(run=data.newest_of(carry.get("run")))
        a = carry.choose("run", list(names), lambda key: f"A  {names[key]}", width=330)
        others = data.comparable(mate=a)
        if not others:
            st.info("No other run is of this dataset: change one knob and train again.")
            return None
        b = carry.choose("other", list(others), lambda key: f"B  {others[key]}", width=330)
        splits = [s for s in data.open_splits(data.run(a)) if s in data.open_splits(data.run(b))]
        order = sorted(splits, key=lambda split: split != "dev")
        if not order:
            st.info("These two runs share no split.")
            return None
        split = carry.choose("split", order, lambda s: f"Split  {words.of_rung(s)}", width=170)
    return Pair(a=a, b=b, name_a=names[a], name_b=names[b], split=split)


def compared(pair: Pair) -> Comparison:
    """Return how the two differ."""
    return data.comparison(pair.a, pair.b, pair.split)


def head(found: Comparison, pair: Pair) -> None:
    """One sentence: who errs less, by how much, how sure."""
    size = words.points(abs(found.difference)).removeprefix("+")
    if found.verdict == "undecided":
        title = f"# Undecided: the two differ by {size} points"
    else:
        title = f"# :green[{found.verdict.upper()}] errs less: by {size} points"
    inside = _inside(found)
    below = (
        f"error(A) − error(B) = {words.points(found.difference)} points{inside} on "
        f"{found.n_shared:,} shared {words.of_rung(found.split).lower()} examples; "
        f"p = {_p(found.p_value)} by {safe(found.extra.get('test', 'exact McNemar'))}."
    )
    with st.container(key="head", gap=None):
        st.markdown(title)
        st.markdown(f":gray[{below} {safe(found.extra.get('says', ''))}]")


def difference_and_counts(found: Comparison, pair: Pair) -> None:
    """The interval against zero, and how many examples flipped."""
    left, middle, right = st.columns([2, 1, 1], gap="small")
    with left, widgets.card("difference", "Difference with its 95 % interval", fill=True):
        if found.low is None or found.high is None:
            st.caption("All examples are of one group: nothing shows how much groups differ.")
        else:
            figure = difference(found.difference, found.low, found.high, names=("A", "B"))
            widgets.chart(figure, "difference")
    with middle:
        title, note = KINDS[found.extra["fractional"]]["fixed"]
        widgets.tile("fixed", title, f"{found.fixed:,}", note, "green")
    with right:
        title, note = KINDS[found.extra["fractional"]]["broken"]
        widgets.tile("broken", title, f"{found.broken:,}", note, "red")


def flips(found: Comparison, pair: Pair) -> None:
    """Pictures of the examples that flipped, as B sees them."""
    first, table = (data.predictions(run, pair.split) for run in (pair.a, pair.b))
    kinds = (("fixed", found.fixed_ids), ("broken", found.broken_ids))
    for column, (key, ids) in zip(st.columns(2, gap="small"), kinds, strict=True):
        title = f"{KINDS[found.extra['fractional']][key][0]} by B"
        with column, widgets.card(f"flips-{key}", title, _some(len(ids)), fill=True):
            chosen = list(ids)[:MOST_PICTURES]
            if chosen:
                flipped(pair.b, breakdown.named(first, chosen), breakdown.named(table, chosen), key)


def flips_by(found: Comparison) -> None:
    """Where the examples that flipped stand: by class and by source, the most moved first."""
    shown = {
        column: {name: c for name, c in counts.items() if c["fixed"] or c["broken"]}
        for column, counts in found.extra.get("by", {}).items()
        if len(counts) > 1 or column == "tag"
    }
    shown = {column: counts for column, counts in shown.items() if counts}
    if not shown:
        return
    for place, (column, counts) in zip(
        st.columns(len(shown), gap="small"), shown.items(), strict=True
    ):
        with place, widgets.card(f"by-{column}", f"Flips by {column}", fill=True):
            order = sorted(
                counts, key=lambda name: -(counts[name]["fixed"] + counts[name]["broken"])
            )
            rows = [
                {
                    column: name,
                    **{key: f"{counts[name][key]:,}" for key in ("n", "fixed", "broken")},
                }
                for name in order[:MOST_ROWS]
            ]
            widgets.table(rows, numbers=f"by-{column}")


def preference(pair: Pair) -> None:
    """What people prefer, whatever the metric says; it is kept in the ledger."""
    note = "kept in the ledger; `gapwise metric` holds it against the metric (notes 4.6)"
    with widgets.card("preference", "Which of the two do people find better?", note):
        stated = choice_data.preference(pair.a, pair.b)
        if stated:
            name = "A" if stated.better == pair.a else "B"
            why = f": {stated.why}" if stated.why else ""
            st.markdown(f"**{name}** is preferred, says {said(stated.author)}{said(why)}.")
        why = st.text_input("Why", key="prefer-why", placeholder="why, in a sentence")
        with st.container(horizontal=True):
            for label, better, worse in (("A", pair.a, pair.b), ("B", pair.b, pair.a)):
                if widgets.act(f"Prefer {label}", "tagger", key=f"prefer-{label}"):
                    choice_data.prefer(better, worse, why)
                    st.rerun()
            if stated and widgets.act("Take it back", "tagger", key="prefer-none"):
                choice_data.prefer(stated.better, stated.worse, why, withdraw=True)
                st.rerun()


def knobs(found: Comparison) -> None:
    """What was set differently."""
    with widgets.card("knobs", "Knobs changed", safe(found.extra.get("credit", ""))):
        rows = [
            {
                "knob": key,
                "A": _value(a),
                "B": _value(b),
                "acts on": words.of_gap(found.extra.get("acts_on", {}).get(key, "")),
            }
            for key, (a, b) in found.knobs_changed.items()
        ]
        if rows:
            widgets.table(rows)
        else:
            st.caption("None, or the pipelines are not known.")


def _inside(found: Comparison) -> str:
    shown = words.span(found.low, found.high)
    return f" ({shown})" if shown else ""


def _p(value: float) -> str:
    return "below 0.0001" if value < 0.0001 else f"{value:.2g}"


def _some(count: int) -> str:
    if count == 0:
        return "none"
    return (
        "label → what B said"
        if count <= MOST_PICTURES
        else f"the first {MOST_PICTURES} of {count:,}"
    )


def _value(value: Any) -> str:
    return "not set" if value is None else str(value)
