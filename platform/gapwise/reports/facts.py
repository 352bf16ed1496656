"""All that a report tells of a run, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gapwise.records import Diagnosis, Rung

Errors = Mapping[str, Rung]
"""Split → its error with interval and n."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The errors of a class or of a source."""

    name: str
    errors: Errors


@dataclass(frozen=True, kw_only=True)
class WrongExample:
    """An example that the run got wrong; ``png`` is its picture, where it has one."""

    example_id: str
    target: str
    predicted: str
    source: str = ""
    png: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A learning curve: values by epoch."""

    steps: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A run, or several that differ in seed alone, as a report shows them.

    Attributes:
        name, experiment, dataset: what they are called.
        when: when the run started, UTC, as people read it.
        took: how long it took, "" where unknown.
        diagnosis: ladder, gaps, verdict and findings.
        classes, sources: errors by class and by source, the worst in dev first.
        left_out: how many classes are not listed.
        wrong: how many examples of ``split`` are wrong, of ``n``.
        worst: some of them, the worst first.
        curves: split → error by epoch.
        best_epoch: whose checkpoint was kept.
        pipeline: the resolved pipeline as YAML, "" where there is none.
        identity: what fixes the numbers: seed, digests, plan.
        versions: what the run was made with.
        looks, quarantined: looks at test; examples set aside.
        gapwise: the version that writes the report.
        docs: address that sections of the documentation are linked under, "" for none.
    """

    name: str
    experiment: str
    dataset: str
    when: str
    took: str
    diagnosis: Diagnosis
    classes: Sequence[Part] = ()
    sources: Sequence[Part] = ()
    left_out: int = 0
    split: str = "dev"
    wrong: int = 0
    n: int = 0
    worst: Sequence[WrongExample] = ()
    curves: Mapping[str, Line] = field(default_factory=dict)
    best_epoch: float | None = None
    pipeline: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    looks: int = 0
    quarantined: int = 0
    gapwise: str = ""
    docs: str = ""
