"""The report as one HTML file: no script, nothing from elsewhere, all text from data escaped."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final

from gapwise.figures import palette, words
from gapwise.records import Knob, Rung
from gapwise.reports import said
from gapwise.reports.curves_svg import curves
from gapwise.reports.facts import Facts, Part, WrongExample
from gapwise.reports.ladder_svg import ladder
from gapwise.reports.markup import Content, Markup, joined, tag
from gapwise.reports.style import CSS
from gapwise.reports.whisker_svg import whisker

_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(facts: Facts) -> str:
    """Return the whole document."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{said.title(facts.diagnosis)} – {facts.name}"),
        tag("style", Markup(CSS)),
    )
    parts = [
        _header(facts), _ladder(facts), _steps(facts), _findings(facts), _where(facts),
        _worst(facts), _curves(facts), _made(facts), _method(facts), _footer(facts),
    ]  # fmt: skip
    body = tag("body", tag("main", *parts))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(facts: Facts) -> Markup:
    diagnosis = facts.diagnosis
    gap = max(diagnosis.gaps, key=lambda one: one.probability_largest, default=None)
    color = palette.of_gap(gap.name) if gap and diagnosis.verdict != "none" else palette.GOOD
    headline = tag("span", said.title(diagnosis), class_="mark", style=f"border-color: {color}")
    return tag(
        "header",
        tag("p", f"{facts.experiment} · {facts.name}", class_="over"),
        tag("h1", headline),
        tag("p", said.verdict(diagnosis).replace(" %", "\N{NO-BREAK SPACE}%"), class_="lead"),
        tag("p", said.subject(facts), class_="over"),
    )


def _section(title: str, *content: Content, note: str = "") -> Markup:
    return tag("section", tag("h2", title, tag("small", note) if note else None), *content)


def _ladder(facts: Facts) -> Markup:
    made = facts.diagnosis
    ends = said.gap_of(made.ladder, made.gaps)
    rows = []
    for rung in made.ladder:
        name, points, largest = said.gap(ends.get(rung.rung))
        size = f"{rung.n:,}" if rung.n else "not stated"
        cells = (words.percent(rung.error), said.interval(rung), size, name, points, largest)
        rows.append((words.of_rung(rung.rung), *cells))
    columns = ("Rung", "Error", "95 % interval", "n", "Gap", "Points (95 %)", "P(largest)")
    known = {rung.rung for rung in made.ladder}
    absent = []
    if "human" not in known:
        absent.append("No human level was measured, so bias is counted from 0.")
    if "test" not in known:
        absent.append("The test error is not shown; each look at it is counted.")
    note = tag("p", " ".join(absent), class_="why") if absent else None
    return _section(
        "The error ladder",
        ladder(made.ladder, made.gaps),
        _table(columns, rows, numbers=(1, 3, 5, 6)),
        note,
        note=f"it speaks of {made.extra.get('speaks_of', 'this run')}",
    )


def _steps(facts: Facts) -> Markup:
    knobs = facts.diagnosis.knobs[: said.MOST_STEPS]
    if not knobs:
        return Markup()
    note = "the most that each can take off the dev error"
    return _section("What to do next", tag("ol", *map(_step, knobs), class_="steps"), note=note)


def _step(knob: Knob) -> Markup:
    color = palette.of_gap(knob.gap)
    return tag(
        "li",
        knob.name,
        tag("span", said.at_most(knob), class_="gain", style=f"color: {color}"),
        tag("div", knob.why, class_="why"),
        tag("code", knob.command, class_="command") if knob.command else None,
    )


def _findings(facts: Facts) -> Markup:
    found = said.others(facts.diagnosis)
    if not found:
        return Markup()
    return _section("What else was found", tag("ul", *(tag("li", f.says) for f in found)))


def _where(facts: Facts) -> Markup:
    parts: list[Content] = []
    for title, rows in (("By source", facts.sources), ("By class", facts.classes)):
        if rows:
            parts += [tag("h3", title), _by_split(rows)]
    if facts.left_out:
        more = words.count(facts.left_out, "class", "classes")
        parts.append(tag("p", f"{more} with lower errors left out.", class_="why"))
    if not parts:
        return Markup()
    return _section(
        "Where the errors stand", *parts, note=f"error (95 % interval, n){said.of_one(facts)}"
    )


def _by_split(rows: Sequence[Part]) -> Markup:
    splits = [s for s in words.RUNGS if any(s in row.errors for row in rows)]
    last = splits[-1]
    limit = max((row.errors[last].high or row.errors[last].error or 0.01)
                for row in rows if last in row.errors)  # fmt: skip
    cells = [
        (
            row.name,
            *(_error(row.errors.get(split)) for split in splits),
            whisker(row.errors.get(last), limit),
        )
        for row in rows
    ]
    return _table(("", *map(words.of_rung, splits), ""), cells)


def _error(rung: Rung | None) -> Markup:
    """Return an error with what it stands on in small letters, which may go below it."""
    if rung is None:
        return joined("–")
    value, _, basis = said.error(rung).partition(" (")
    return joined(tag("span", value), " ", tag("small", f"({basis}"))


def _worst(facts: Facts) -> Markup:
    if not facts.worst:
        return Markup()
    split = words.of_rung(facts.split).lower()
    shown = words.count(len(facts.worst), "example")
    note = f"{facts.wrong:,} wrong of {facts.n:,} in {split}; {shown}, the worst first"
    note += said.of_one(facts)
    if any(one.png for one in facts.worst):
        several = len({one.source for one in facts.worst}) > 1
        pictures = (_picture(one, several) for one in facts.worst)
        return _section("Worst examples", tag("div", *pictures, class_="gallery"), note=note)
    columns = ("Example", "Label", "Predicted", "Source")
    rows = [(one.example_id, one.target, one.predicted, one.source) for one in facts.worst]
    return _section("Worst examples", _table(columns, rows), note=note)


def _picture(one: WrongExample, several: bool) -> Markup:
    image = tag("div", "no picture", class_="why")
    if one.png:
        data = b64encode(one.png).decode()
        image = tag("img", src=f"data:image/png;base64,{data}", alt=f"example {one.example_id}")
    under = f"{one.target} → {one.predicted}"
    source = f" · {one.source}" if several and one.source else ""
    return tag("figure", image, tag("div", under), tag("div", one.example_id + source, class_="id"))


def _curves(facts: Facts) -> Markup:
    if not facts.curves:
        return Markup()
    return _section("Error by epoch", curves(facts.curves, facts.best_epoch))


def _made(facts: Facts) -> Markup:
    known = {**facts.identity, **facts.versions}
    parts: list[Content] = [_list(known)] if known else []
    if facts.pipeline:
        parts += [tag("h3", "Pipeline"), tag("pre", facts.pipeline)]
    return _section("How it was made", *parts) if parts else Markup()


def _list(values: Mapping[str, str]) -> Markup:
    pairs = (joined(tag("dt", key), tag("dd", value)) for key, value in values.items())
    return tag("dl", *pairs)


def _method(facts: Facts) -> Markup:
    rows = []
    for title, anchor, says in said.DOCS:
        name: Markup = tag("b", title)
        if facts.docs:
            name = tag("a", title, href=f"{facts.docs.rstrip('/')}/diagnosis.md#{anchor}")
        rows.append(tag("li", name, f": {says}"))
    rows += [tag("li", sentence) for sentence in said.counts(facts)]
    note = "sections of docs/diagnosis.md, with their references"
    return _section("How the numbers were computed", tag("ul", *rows), note=note)


def _footer(facts: Facts) -> Markup:
    runs = ", ".join(facts.diagnosis.extra.get("run_ids", (facts.diagnosis.run_id,)))
    revision = facts.diagnosis.label_revision
    return tag("footer", f"Gapwise {facts.gapwise} · run {runs} · label revision {revision}")


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[Content]], numbers: Sequence[int] = ()
) -> Markup:
    kind = dict.fromkeys(numbers, "number")
    head = (tag("th", name, class_=kind.get(place)) for place, name in enumerate(columns))
    body = (
        tag("tr", *(tag("td", cell, class_=kind.get(place, "name" if place == 0 else None))
                    for place, cell in enumerate(row)))
        for row in rows
    )  # fmt: skip
    made = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body))
    return tag("div", made, class_="scroll")
