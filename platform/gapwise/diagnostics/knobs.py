"""Which knobs act on a gap, what each changes, and the most that it can gain (notes 4.2)."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from gapwise.diagnostics.catalogue import CATALOGUE, Entry
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.pipeline_view import PipelineView
from gapwise.records import Gap, Knob

_EFFORTS = ("minutes", "hours", "days")


def knobs(evidence: Evidence, gap: Gap, inherent: float = 0.0) -> tuple[Knob, ...]:
    """Return the knobs that act on ``gap``, the least effort of people first.

    No knob can gain more than the gap itself, less what is inherent in the target; more data no
    more than twice the data gives by the learning curve, where one was made. Those of one effort
    are ranked by what they can gain at most, then by their promise here.

    Args:
        evidence: its pipeline decides which knobs apply; a run recorded without one gets only
            those that no pipeline has to know of.
        gap: a gap of the ladder; a combined one gets the knobs of all its parts.
        inherent: part of the gap that people meet too, as a fraction of 1.
    """
    parts = [acted_on(part) for part in gap.name.split("+")]
    at_most = max(0.0, gap.gap - max(0.0, inherent))
    return knobs_of(evidence, parts, at_most)


def knobs_of(
    evidence: Evidence, wanted: Sequence[str], at_most: float | None = None
) -> tuple[Knob, ...]:
    """Return the knobs of gaps, or of faults of the data, as the catalogue names them."""
    view = PipelineView(evidence)
    found = [
        (_EFFORTS.index(knob.effort), -(knob.at_most or 0), -_promise(entry, view), knob)
        for part in wanted
        for entry in CATALOGUE
        if entry.gap == part and (knob := _knob(entry, view, at_most))
    ]
    return tuple(knob for *_, knob in sorted(found, key=lambda ranked: ranked[:3]))


def command(name: str, change: Mapping[str, Any]) -> str:
    """Return the command line that trains pipeline ``name`` with ``change``."""
    quoted = [shlex.quote(word) for word in overrides(change)]
    return " ".join(["gapwise train", shlex.quote(name), *quoted])


def overrides(change: Mapping[str, Any]) -> list[str]:
    """Return a change as ``dotted.key=value`` words, as a command line takes them."""
    return [f"{key}={_yaml(value)}" for key, value in change.items()]


def acted_on(part: str) -> str:
    """Return the gap of the catalogue that a part of a ladder's gap is: bias is the avoidable."""
    return "avoidable_bias" if part == "bias" else part


def _promise(entry: Entry, view: PipelineView) -> float:
    return entry.promise(view) if callable(entry.promise) else entry.promise


def _knob(entry: Entry, view: PipelineView, at_most: float | None) -> Knob | None:
    if entry.needs_pipeline and not view.evidence.pipeline:
        return None
    change: Mapping[str, Any] = {}
    if entry.change:
        found = entry.change(view)
        if found is None:
            return None
        change = found
    name = str(view.get("name", ""))
    curve = view.evidence.more_data if entry.more_data else None
    bound = "the ladder" if at_most is not None else ""
    if curve is not None and (at_most is None or curve < at_most):
        at_most, bound = max(0.0, curve), "the learning curve, at twice the data"
    return Knob(
        name=entry.name,
        gap=entry.gap,
        why=entry.why,
        change=change,
        command=command(name, change) if change and name else "",
        at_most=at_most,
        id=entry.id,
        effort=entry.effort,
        bound=bound,
    )


def _yaml(value: Any) -> str:
    """The value as it stands in an override: JSON is YAML, and a bare word needs no quotes."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
