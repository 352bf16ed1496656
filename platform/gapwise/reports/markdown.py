"""The report as Markdown, for a wiki or a pull request: the same facts without pictures."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gapwise.figures import words
from gapwise.reports import said
from gapwise.reports.facts import Facts, Part

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|~&])")
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


def markdown(facts: Facts) -> str:
    """Return the whole document."""
    made = facts.diagnosis
    blocks = [
        f"# {_safe(said.title(made))}",
        _safe(said.verdict(made)),
        f"*{_safe(facts.experiment)} · {_safe(facts.name)} · {_safe(said.subject(facts))}*",
        _ladder(facts),
        _steps(facts),
        _listed("What else was found", [f.says for f in said.others(made)]),
        _parts("By source", facts.sources),
        _parts("By class", facts.classes),
        _worst(facts),
        _made(facts),
        _method(facts),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _ladder(facts: Facts) -> str:
    made = facts.diagnosis
    ends = said.gap_of(made.ladder, made.gaps)
    columns = ("Rung", "Error", "95 %", "n", "Gap", "Points (95 %)", "P(largest)")
    rows = [
        (
            words.of_rung(rung.rung),
            words.percent(rung.error),
            said.interval(rung),
            f"{rung.n:,}" if rung.n else "not stated",
            *said.gap(ends.get(rung.rung)),
        )
        for rung in made.ladder
    ]
    return f"## The error ladder\n\n{_table(columns, rows)}"


def _steps(facts: Facts) -> str:
    lines = []
    for place, knob in enumerate(facts.diagnosis.knobs[: said.MOST_STEPS], start=1):
        lines.append(f"{place}. **{_safe(knob.name)}** ({said.at_most(knob)}). {_safe(knob.why)}")
        if knob.command:
            lines += ["", _fenced(knob.command, "sh", indent="   "), ""]
    return "## What to do next\n\n" + "\n".join(lines).rstrip() if lines else ""


def _listed(title: str, sentences: Sequence[str]) -> str:
    lines = "\n".join(f"- {_safe(sentence)}" for sentence in sentences)
    return f"## {title}\n\n{lines}" if lines else ""


def _parts(title: str, rows: Sequence[Part]) -> str:
    if not rows:
        return ""
    splits = [s for s in words.RUNGS if any(s in row.errors for row in rows)]
    cells = [(row.name, *(said.error(row.errors.get(split)) for split in splits)) for row in rows]
    return f"## {title}\n\n{_table(('', *map(words.of_rung, splits)), cells)}"


def _worst(facts: Facts) -> str:
    if not facts.worst:
        return ""
    rows = [(one.example_id, one.target, one.predicted, one.source) for one in facts.worst]
    shown = _table(("Example", "Label", "Predicted", "Source"), rows)
    split = words.of_rung(facts.split).lower()
    return f"## Worst examples\n\n{facts.wrong:,} wrong of {facts.n:,} in {split}.\n\n{shown}"


def _made(facts: Facts) -> str:
    known: Mapping[str, str] = {**facts.identity, **facts.versions}
    lines = "\n".join(f"- {_safe(key)}: {_safe(value)}" for key, value in known.items())
    pipeline = _fenced(facts.pipeline.rstrip("\n"), "yaml") if facts.pipeline else ""
    blocks = [block for block in (lines, pipeline) if block]
    return "\n\n".join(["## How it was made", *blocks]) if blocks else ""


def _method(facts: Facts) -> str:
    base = facts.docs.rstrip("/")
    lines = []
    for title, anchor, says in said.DOCS:
        name = f"[{title}](<{base}/diagnosis.md#{anchor}>)" if base else f"**{title}**"
        lines.append(f"- {name}: {says}")
    lines += [f"- {sentence}" for sentence in said.counts(facts)]
    runs = ", ".join(facts.diagnosis.extra.get("run_ids", (facts.diagnosis.run_id,)))
    end = f"Gapwise {facts.gapwise}, run {runs}, label revision {facts.diagnosis.label_revision}."
    listed = "\n".join(lines)
    return f"## How the numbers were computed\n\n{listed}\n\n{end}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_safe(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _fenced(text: str, language: str, indent: str = "") -> str:
    """Return a block of code, in a fence longer than any that the text holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join(indent + line for line in (f"{fence}{language}", *text.split("\n"), fence))


def _safe(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _BREAKS.sub(" ", text))
