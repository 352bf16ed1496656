"""The parts of *Labels*: the campaign, its queue, what it shows, and every run re-scored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import streamlit as st

from dashboards import (
    carry,
    choosing,
    data,
    desk_view,
    example_data,
    label_data,
    navigation,
    sign_in,
    who,
    widgets,
)
from dashboards.text import said
from gapwise.diagnostics.rescore import Rescored, RescoredRun
from gapwise.errors import GapwiseError
from gapwise.figures import words
from gapwise.ledger.campaigns import Campaign
from gapwise.records import Rung
from gapwise.workflows.campaign import Coverage, Review

OWN: Final = ("campaign", "queue", "before", "after")

QUEUES: Final[Mapping[str, str]] = {
    "suspects": "Suspects",
    "wrong": "Wrong, at random",
    "right": "Right, at random",
    "second": "Second opinion, blind",
    "disagree": "Opinions that differ",
}
SCORES: Final[Mapping[str, str]] = {
    "odds": "odds of the best other class",
    "confidence": "how little the label's own score is",
    "margin": "margin of the two best classes",
}
MOST_RUNS: Final = 30
MOST_GATHERED: Final = 8


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The run and campaign that people look at."""

    run: str
    campaign: Campaign | None


def chosen() -> Chosen | None:
    """Let people choose a run and a campaign; None, with help, where there is no run."""
    names = data.comparable()
    if not names:
        widgets.empty(
            "No labels to review yet",
            "Train a pipeline; examples whose label its network disputes are reviewed here, dev "
            "and test by one process.",
            widgets.TRAIN,
        )
        return None
    with widgets.chips("labels"):
        run = choosing.run_of(names)
        known = [one.name for one in label_data.stated(run)]
        name = ""
        if known:
            name = carry.choose(
                "campaign", known, lambda key: f"Campaign  {key[:40]}", width=260, adopt=False
            )
        _new(run, first=not known)
    return Chosen(run=run, campaign=label_data.named(run, name) if name else None)


def begin_one(found: Chosen) -> None:
    """What a campaign is, where there is none yet."""
    with widgets.card("begin", "Review labels by one process (notes 4.11)"):
        st.markdown(
            "A campaign covers dev **and** test by the same rule: every suspect above one "
            "threshold, and random samples of wrong and of right examples, which alone tell how "
            "much of the error is label noise. Looking at test is counted."
        )
        st.markdown("Begin one above.")


def head(review: Review) -> None:
    """What the labels cost, in one sentence."""
    dev = next((one for one in review.noise if one.split == "dev"), None)
    title = "Review a random sample to see what labels cost"
    if dev is not None and dev.of_error is not None:
        title = f"{words.percent(dev.of_error.share)} of the dev error is wrong labels"
    with st.container(key="head", gap=None):
        st.markdown(f"# {title}")
        for one in review.noise:
            st.markdown(f":gray[{said(one.says)}]")
    if review.warns:
        st.warning(said(review.warns))


def desk(found: Chosen) -> None:
    """The queue: label, suggestion, picture, neighbours; keep, change, ambiguous by key."""
    campaign = found.campaign
    assert campaign is not None
    with widgets.chips("queue"):
        splits = list(campaign.splits)
        split = carry.choose("split", splits, lambda s: f"Split  {words.of_rung(s)}", width=150)
        queue = carry.choose("queue", list(QUEUES), QUEUES.__getitem__, width=230, adopt=False)
    run = campaign.run_ids[0]
    classes = data.predictions(run, split).classes
    desk_view.component(
        {
            "mode": "labels",
            "query": {"run": run, "split": split, "campaign": campaign.name, "queue": queue},
            "table": False,
            "second": queue == "second",
            "campaign": campaign.name,
            "classKeys": desk_view.class_keys(classes),
            "hasPictures": example_data.has_pictures(run),
            "hasSounds": example_data.has_sounds(run),
            "author": who.here().name,
            "isSignedIn": sign_in.current().is_asked,
            "about": QUEUES[queue].lower(),
        },
        key="desk-labels",
    )


def progress(review: Review) -> None:
    """How far dev and test are reviewed, alike or not; agreement; whether it is worth it."""
    left, right = st.columns([1.2, 1], gap="small")
    with left, widgets.card("coverage", "Reviewed so far", "one rule for every split", fill=True):
        widgets.table([_coverage(row) for row in review.coverage], numbers="coverage")
    with right, widgets.card("worth", "Is it worth it?", fill=True):
        if review.worth is not None:
            st.markdown(said(review.worth.says))
        st.markdown(said(review.kind))
        st.markdown(said(review.agreement.says))
    if review.gathered:
        with widgets.card("gathered", "Where wrong labels gather"):
            rows = [
                {
                    "where": f"{one.column} {one.value}",
                    "mislabeled": f"{one.mislabeled} of {one.n}",
                    "elsewhere": words.percent(one.rest),
                    "p": f"{one.p_value:.2g}",
                    "": "systematic" if one.systematic else "not sure",
                }
                for one in review.gathered[:MOST_GATHERED]
            ]
            widgets.table(rows, numbers="gathered")


def rescored(found: Chosen) -> None:
    """Every run before and after, by two label revisions."""
    known = label_data.revisions(found.run)
    experiment = data.run(found.run).experiment
    with widgets.card("rescored", "Every run, re-scored", "no network runs; dev decides the rank"):
        if len(known) < 2:
            st.caption("No label was reviewed yet.")
            return
        with st.container(horizontal=True):
            places = list(known)
            before = carry.choose(
                "before", [str(place) for place in places], _told(known), adopt=False
            )
            after = carry.choose(
                "after", [str(place) for place in places[::-1]], _told(known), adopt=False
            )
        try:
            made = label_data.rescored(experiment, int(before), int(after))
        except GapwiseError as error:
            st.caption(said(str(error)))
            return
        st.markdown(f"**{said(made.says)}**")
        if made.warns:
            st.warning(said(made.warns))
        widgets.table([_run(one, made) for one in made.runs[:MOST_RUNS]], numbers="rescored")
        if len(made.runs) > MOST_RUNS:
            st.caption(f"the first {MOST_RUNS} of {len(made.runs):,}; `gapwise rescore` shows all")


def train_labels(found: Chosen) -> None:
    """Train's own labels: judged by networks that did not see them, trained in the background."""
    with widgets.card("train", "Labels of train", "judged by five networks that did not see them"):
        made = label_data.judging(found.run)
        if made is not None:
            tone = widgets.STATE_TONES[made.state]
            st.markdown(f":{tone}[{made.state}] :gray[{said(made.says)}]")
        if made is not None and made.state == "running":
            st.button("Look again", key="look-again")
        elif widgets.act("Train five folds and judge", "lead", key="judge-train"):
            label_data.judge_train(found.run)
            st.rerun()
        if made is not None and made.state == "done":
            name = f"{data.run(found.run).name}-folds"
            st.caption(said(f"Choose the run {name} above, and begin a campaign on its train."))


def links(found: Chosen) -> None:
    """To the errors of the same run."""
    if st.button("Its errors, by tag", key="to-errors"):
        navigation.go("Errors", run=found.run, view="wrong", tag=None)


def _new(run: str, *, first: bool) -> None:
    # A key of its own for each number of campaigns: what has begun one closes.
    key = f"new-{len(label_data.stated(run))}"
    title = "Begin a campaign" if first else "Begin another"
    with st.popover(title, width="content", key=key):
        names = data.comparable()
        name = st.text_input("Name", value="", placeholder="round 1", max_chars=60)
        runs = st.multiselect(
            "Runs whose scores rank the suspects", list(names), [run], format_func=names.__getitem__
        )
        splits = [name for name in ("dev", "test", "train") if name in data.run(run).splits()]
        judged = [name for name in splits if name != "train"] or splits
        both = st.checkbox("dev and test alike; a look at test is counted", value=True)
        score = st.selectbox("Ranked by", list(SCORES), format_func=SCORES.__getitem__)
        threshold = st.slider("Suspects: suspicion of at least", 0.5, 1.0, 0.9, 0.01)
        wrong = st.number_input("Random wrong examples a split", 0, 10_000, 50)
        right = st.number_input("Random right examples a split", 0, 10_000, 50)
        if not both:
            st.caption("Only dev: dev and test will no longer be of one distribution.")
        if widgets.act("Begin", "lead", type="primary", disabled=not (name.strip() and runs)):
            campaign = Campaign(
                name=name.strip(),
                run_ids=tuple(runs),
                splits=tuple(judged) if both else tuple(judged[:1]),
                score=score,
                suspects=float(threshold),
                wrong=int(wrong),
                right=int(right),
            )
            label_data.begin(campaign, who.here().name)
            carry.put(campaign=campaign.name)
            st.rerun()


def _told(known: Mapping[int, str]) -> Callable[[str], str]:
    return lambda place: known.get(int(place), place)


def _coverage(row: Coverage) -> dict[str, str]:
    return {
        "queue": f"{words.of_rung(row.split)}: {QUEUES[row.queue].lower()}",
        "reviewed": f"{row.reviewed:,} of {row.of:,}",
        "labels changed": f"{row.changed:,}",
    }


def _run(run: RescoredRun, made: Rescored) -> dict[str, str]:
    move = run.rank_before - run.rank_after
    moved = f"▲ {move}" if move > 0 else f"▼ {-move}" if move < 0 else "="
    row = {"rank": f"{run.rank_after} {moved}", "run": f"{run.name} · {run.run_id[:6]}"}
    for before, after in zip(run.before, run.after, strict=True):
        row[words.of_rung(after.rung).lower()] = _cell(before, after)
    return row


def _cell(before: Rung, after: Rung) -> str:
    now = widgets.plotted(after.error, after.low, after.high)
    return now if before.error == after.error else f"{words.percent(before.error)} → {now}"
