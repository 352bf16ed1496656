"""The parts of *Human level*: the blind quiz, and what people's answers say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import streamlit as st

from dashboards import (
    books,
    carry,
    choosing,
    data,
    desk_data,
    desk_view,
    example_data,
    sign_in,
    who,
    widgets,
)
from dashboards.text import said
from gapwise.diagnostics.people import People, Person
from gapwise.figures import words
from gapwise.ledger import answers
from gapwise.records import Distribution
from gapwise.workflows import quiz

OWN: Final = ("distribution", "asked")
DISTRIBUTIONS: Final = {"target": "The target (dev)", "train": "What was trained on"}
ASKED: Final = ("100", "25", "50", "200", "500")

_PARTS: Final = ("outbox.js", "dom.js", "quiz.js")
_HERE: Final = Path(__file__).parent.absolute() / "desk"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Whose data, which distribution, how many examples."""

    run: str
    distribution: Distribution
    asked: int


def chosen() -> Chosen | None:
    """Let people choose what they are asked about; None, with help, where there is nothing."""
    names = data.comparable()
    if not names:
        widgets.empty(
            "Nothing to ask people about yet",
            "Train a pipeline; people then answer the same examples that its network does.",
            widgets.TRAIN,
        )
        return None
    with widgets.chips("human"):
        run = choosing.run_of(names)
        places = list(DISTRIBUTIONS)
        where = carry.choose("distribution", places, DISTRIBUTIONS.__getitem__, width=210)
        asked = carry.choose("asked", list(ASKED), lambda n: f"{n} examples", width=150)
    return Chosen(run=run, distribution="train" if where == "train" else "target", asked=int(asked))


def head(found: People, chosen: Chosen) -> None:
    """The best human level, in one sentence."""
    here = [one for one in found.people if one.distribution == chosen.distribution]
    title = "Nobody has answered yet"
    if here:
        best = min(here, key=lambda one: one.error)
        title = f"{said(best.name)} errs on {words.percent(best.error)}"
    with st.container(key="head", gap=None):
        st.markdown(f"# {title}")
        st.markdown(
            ":gray[Blind answers to a random sample, no label and no prediction shown. They stand "
            "in the ladder as human levels; the lowest with n of 100 or more stands for Bayes "
            "error (notes 4.7).]"
        )


def ask(chosen: Chosen) -> None:
    """The quiz itself."""
    run = data.run(chosen.run)
    split = quiz.split_of(run, chosen.distribution)
    table = data.predictions(chosen.run, split)
    if not table.classes or table.target.ndim > 1 or not example_data.has_pictures(chosen.run):
        st.info("The quiz shows pictures of one class each; this run's examples are none.")
        return
    author = who.here().name
    done = quiz.answered_by(books.ledger(), data.dataset_of(chosen.run), author)
    with widgets.card("quiz", "What is it?", f"you answer as {said(author)}"):
        _component(
            {
                "run": chosen.run,
                "split": split,
                "ids": quiz.drawn(table, chosen.asked, done),
                "distribution": chosen.distribution,
                "classes": list(table.classes),
                "classKeys": desk_view.class_keys(table.classes, taken=""),
                "author": author,
                "isSignedIn": sign_in.current().is_asked,
            },
            key=f"quiz-{chosen.distribution}-{chosen.asked}",
        )


def results(found: People) -> None:
    """Each person's error, the team's, and how far they agree."""
    if found.people:
        with widgets.card("people", "Human error", "95 % intervals"):
            widgets.table([_row(one) for one in found.people], numbers="people")
    if found.pairs:
        with widgets.card("pairs", "Agreement", "on examples that both answered"):
            for one, other, how in found.pairs:
                st.markdown(f"{said(one)} and {said(other)}: {said(how.says)}")


def stated(chosen: Chosen) -> People:
    """Return what people's answers say under the labels as they stand."""
    dataset = data.dataset_of(chosen.run)
    ledger = books.ledger()
    mark = len(answers.given(ledger, dataset)), desk_data.of_run(chosen.run).labels.revision
    return _results(dataset, mark)


def _row(one: Person) -> dict[str, str]:
    return {
        "who": one.name,
        "on": "training distribution" if one.distribution == "train" else "target",
        "error": widgets.plotted(one.error, one.low, one.high),
        "n": f"{one.n:,}",
        "seconds each": "" if one.seconds is None else f"{one.seconds:.1f}",
    }


def _component(content: dict[str, Any], key: str) -> None:
    made = st.components.v2.component(
        "gapwise_quiz",
        html='<div class="desk"></div>',
        css=(_HERE / "desk.css").read_text(encoding="utf-8"),
        js="\n".join((_HERE / part).read_text(encoding="utf-8") for part in _PARTS),
    )
    made(data=content, key=key, on_saved_change=desk_view.nothing)


@st.cache_resource(show_spinner=False, max_entries=8)
def _results(dataset: str, mark: tuple[int, int]) -> People:
    return quiz.results(books.ledger(), dataset)
