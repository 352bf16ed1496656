"""The parts of *Splits*: sliders, the live table, what the sizes buy, duplicates, saving."""

from dataclasses import dataclass

import streamlit as st

from dashboards import carry, split_data, widgets
from dashboards.text import safe, said
from gapwise.data.assignment import Assignment
from gapwise.errors import UsageError
from gapwise.figures import words
from gapwise.figures.widths import widths
from gapwise.pipeline import Pipeline, Splits
from gapwise.records import SPLITS, ExampleSet
from gapwise.statistics.size import advise, half_width, starting_points

MOST_AT_ONCE = 20_000
EVERYTHING = "all data is one distribution"


@dataclass(frozen=True, kw_only=True)
class Design:
    """A split that is being designed."""

    name: str
    base: Pipeline
    held: ExampleSet
    splits: Splits
    drawn: Assignment

    def size(self, split: str) -> int:
        """Return how many examples stand in a split."""
        return len(self.drawn.indices(split))


def chosen() -> tuple[str, Pipeline, ExampleSet] | None:
    """Let people choose a pipeline and read its examples; None, with help, where there is none."""
    names = split_data.pipelines()
    if not names:
        widgets.empty("No pipeline yet", "Describe your own data first.", "gapwise init FOLDER")
        return None
    with widgets.chips("splits"):
        name = carry.choose("pipeline", names, lambda n: f"Pipeline  {n}", width=300)
    base, held = split_data.pipeline(name), split_data.examples(name)
    with st.container(key="head", gap=None):
        st.markdown("# Who trains, who decides, who judges")
        sources = len(set(held.sources.tolist()))
        st.markdown(
            f":gray[{safe(held.name)}: {len(held):,} examples, {words.count(sources, 'source')}. "
            "Dev and test are drawn at random from the target alone.]"
        )
    return name, base, held


def design(name: str, base: Pipeline, held: ExampleSet) -> Design:
    """The sliders; the draw follows them."""
    with widgets.card("sizes", "Design a split", fill=True):
        target = _target(base, held)
        pool = len(held) if target is None else int((held.sources == target).sum())
        start = split_data.drawn(name, base.splits)
        splits = Splits(
            target=target,
            dev=_slider("dev", "Dev", pool, len(start.indices("dev"))),
            test=_slider("test", "Test", pool, len(start.indices("test"))),
            train_dev=_slider("train_dev", "Train-dev", len(held), len(start.indices("train_dev"))),
            target_in_train=_share(target, pool),
            stratify=base.splits.stratify,
            seed=base.splits.seed,
        )
        return Design(
            name=name, base=base, held=held, splits=splits, drawn=split_data.drawn(name, splits)
        )


def table(made: Design) -> None:
    """Sources × splits, live."""
    with widgets.card("table", "Sources × splits", fill=True):
        counts = split_data.counts(made.held, made.drawn)
        columns = [*SPLITS, *([""] if any(row[""] for row in counts.values()) else [])]
        rows = [
            {"source": source} | {_column(split): f"{row[split]:,}" for split in columns}
            for source, row in counts.items()
        ]
        total = {_column(s): f"{sum(row[s] for row in counts.values()):,}" for s in columns}
        widgets.table([*rows, {"source": "all"} | total], numbers="counts")
        for note in made.drawn.notes:
            st.caption(said(note))
        _starting_points(made)


def what_sizes_buy(made: Design) -> None:
    """How closely each judging split knows an error, and what difference dev can tell apart."""
    left, right = st.columns([1.25, 1], gap="small")
    with left, widgets.card("widths", "How closely an error is known", fill=True):
        error = st.slider("Expected error, %", 1, 50, 10, key="expected") / 100
        chosen_ = {s: (made.size(s), half_width(error, made.size(s))) for s in ("dev", "test")
                   if made.size(s)}  # fmt: skip
        most = max([100, *(2 * n for n, _ in chosen_.values())])
        sizes = [max(10, most * step // 60) for step in range(1, 61)]
        figure = widths(sizes, [half_width(error, n) for n in sizes], chosen=chosen_)
        widgets.chart(figure, "widths")
    with right, widgets.card("adviser", "What dev can tell apart", fill=True):
        least = st.slider(
            "Difference between two networks, points", 0.2, 10.0, 2.0, 0.1, "%.1f", key="d"
        )
        advice = advise(min(least / 100, error), error)
        enough = made.size("dev") >= advice.n
        mark = ":green-badge[enough]" if enough else ":orange-badge[too few]"
        st.markdown(f"## {advice.n:,} {mark}")
        st.markdown(f":gray[needed; dev has {made.size('dev'):,}]")
        st.caption(said(advice.says))


def duplicates(made: Design) -> None:
    """Inputs that stand in several splits."""
    with widgets.card("duplicates", "Duplicates across splits"):
        large = len(made.held) > MOST_AT_ONCE
        if large and not st.button("Look for duplicates", key="look-duplicates"):
            st.caption(f"{len(made.held):,} examples take a while to compare.")
            return
        found = split_data.duplicates(made.name, made.splits)
        near = f"; {words.count(found.near.count, 'pair')} nearly equal" if found.near.count else ""
        count = words.count(found.count, "input") if found.count else "No input"
        st.markdown(f"{count} in more than one split{near}.")
        if found.groups:
            widgets.table(
                [
                    {
                        "examples": ", ".join(group.ids[:4]),
                        "splits": ", ".join(group.splits[:4]),
                        "labels": "agree" if group.labels_agree else "differ",
                    }
                    for group in found.groups[:8]
                ]
            )


def save(made: Design) -> None:
    """Take the split away as YAML, or save it beside the other pipelines."""
    with widgets.card("save", "Save as YAML"):
        name = st.text_input("Name of the new pipeline", f"{made.name}-split", key="save-as")
        text = split_data.as_yaml(made.base, made.splits, name)
        st.code(_section(text), language="yaml")
        with st.container(horizontal=True):
            st.download_button(
                "Download", text, file_name="pipeline.yaml", key="get-yaml", on_click="ignore",
                icon=":material/download:",
            )  # fmt: skip
            if widgets.act("Save into ./pipelines", "lead", key="save", type="primary"):
                try:
                    path = split_data.save(name, text)
                except UsageError as error:
                    st.error(said(str(error)))
                else:
                    st.success(f"Saved {safe(path)}; `gapwise train {safe(name)}` trains it.")


def _target(base: Pipeline, held: ExampleSet) -> str | None:
    options = [EVERYTHING, *sorted({str(source) for source in held.sources})]
    start = options.index(base.splits.target) if base.splits.target in options else 0
    target = st.selectbox("Target: what the product will meet", options, start, key="target")
    return None if target == EVERYTHING else target


def _slider(key: str, label: str, most: int, start: int) -> int:
    return st.slider(label, 0, max(1, most), min(start, most), key=f"size-{key}")


def _share(target: str | None, pool: int) -> int | str:
    if target is None:
        return "rest"
    rest = st.toggle("All that dev and test leave of the target trains", True, key="rest")
    if rest:
        return "rest"
    return st.slider("Target examples that train", 0, max(1, pool), pool // 10, key="size-target")


def _starting_points(made: Design) -> None:
    says = [
        f"{point.name} → {point.train:,} / {point.dev:,} / {point.test:,}"
        + (" (fits this size)" if point.recommended else "")
        for point in starting_points(len(made.held))
    ]
    st.caption("Starting points (notes 4.5), train / dev / test: " + "; ".join(says))


def _column(split: str) -> str:
    return words.of_rung(split) if split else "left out"


def _section(text: str) -> str:
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("splits:"))
    rest = (i for i in range(start + 1, len(lines)) if not lines[i].startswith(" "))
    return "\n".join(lines[start : next(rest, None)])
