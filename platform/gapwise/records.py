"""Plain values that several parts share; they import numpy alone and hold no part's behaviour."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gapwise.labels import CLASSES, Labels

SPLITS = ("train", "train_dev", "dev", "test")
RUNGS = ("human", *SPLITS, "field")

Split = Literal["train", "train_dev", "dev", "test"]
Distribution = Literal["train", "target"]


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """An example that was set aside: which, why, and where it stood."""

    item: str
    code: str
    reason: str
    where: str = ""
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class ExampleSet:
    """Examples of one dataset, all arrays of one length n.

    Attributes:
        name: the dataset's name; (name, id) is an example's key in the ledger.
        inputs: (n, …): images (channels, height, width) or volumes (channels, depth, height,
            width) uint8, rows (features) or sequences (channels, length) float32, or words
            (1, length) int32 (see ``gapwise.inputs``); may be a memory map.
        targets: of the form that ``labels`` tells: (n,) int64, (n,) float32, (n, k) int64, ….
        classes: the class names, in the order of the scores, where every example has one class.
        labels: what the targets are; by default each is one of ``classes``.
        ids: (n,) str, unique and stable.
        sources: (n,) str, the distribution that each example came from.
        groups: (n,) str or None; a group never straddles splits.
        weights: (n,) float64 or None.
        metadata: further columns, each (n,), kept for slicing.
        media: (n,) str or None: paths relative to ``media_root``.
        feature_names: names of the columns of ``inputs`` when they are rows.
        quarantine: the examples that were set aside while reading.
        notes: what a reader of a diagnosis must know of this data (one sentence each).
        snapshot: files that name the examples (a manifest, an archive) → their sha256.
    """

    name: str
    inputs: NDArray[Any]
    targets: NDArray[Any]
    classes: tuple[str, ...] = ()
    labels: Labels = CLASSES
    ids: NDArray[np.str_]
    sources: NDArray[np.str_]
    groups: NDArray[np.str_] | None = None
    weights: NDArray[np.float64] | None = None
    metadata: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    media: NDArray[np.str_] | None = None
    media_root: str = ""
    feature_names: tuple[str, ...] = ()
    quarantine: tuple[Quarantined, ...] = ()
    notes: tuple[str, ...] = ()
    snapshot: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.labels.kind == "class":
            labels = replace(self.labels, classes=(self.classes,))
            object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What one network says of one split, an entry an example (DESIGN: Predictions).

    Attributes:
        example_id: (n,) str.
        target: (n,) int64 positions in ``classes``, or of another form that ``labels`` tells;
            (n,) str, JSON, where it is drawn, or where nobody knows what it is.
        predicted: as ``target``; of several labels, none is unknown.
        error: (n,) float64 in [0, 1].
        weight: (n,) float64.
        loss: (n,) float64 or None.
        scores: (n, k) float32 or None, in the order of ``classes``.
        labels: what target and predicted are, where they are no classes.
        source, group, media: (n,) str or None.
        metadata: further columns, each (n,).
    """

    split: str
    example_id: NDArray[np.str_]
    target: NDArray[Any]
    predicted: NDArray[Any]
    error: NDArray[np.float64]
    weight: NDArray[np.float64]
    classes: tuple[str, ...] = ()
    loss: NDArray[np.float64] | None = None
    scores: NDArray[np.float32] | None = None
    labels: Labels = CLASSES
    source: NDArray[np.str_] | None = None
    group: NDArray[np.str_] | None = None
    media: NDArray[np.str_] | None = None
    metadata: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.example_id)


ALSO_IN_TRAIN = "also_in_train"
"""Column of metadata: whether an example's input stands in train too (see ``data.leaks``)."""


@dataclass(frozen=True, kw_only=True)
class HumanLevel:
    """Human error on a distribution; without n it has no interval.

    Attributes:
        error: as a fraction of 1.
        n: examples that it was measured on; one that several people answered counts once.
        distribution: where it was measured.
        source: who measured it, and where that is written.
        name: whose it is: typical, expert, team (notes 4.7).
    """

    error: float
    n: int | None = None
    distribution: Distribution = "train"
    source: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Knob:
    """One change to a pipeline, tied to the gap that it acts on (notes 4.2, orthogonalization).

    Attributes:
        name: a short title in the imperative.
        gap, why: the gap that it acts on, and how, in one sentence.
        change: dotted key → value, the one-knob diff; empty where a person must act.
        command: the command line that does it.
        at_most: the most that it can take off the dev error, as a fraction of 1 (0.041 is 4.1
            points); None where unknown.
        id: what ``gapwise try`` calls it, as ``train-longer``.
        effort: of people: ``minutes`` (a command), ``hours`` or ``days``.
        bound: where ``at_most`` comes from: the ladder, or a learning curve.
    """

    name: str
    gap: str
    why: str
    change: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    at_most: float | None = None
    id: str = ""
    effort: str = ""
    bound: str = ""


DATA_FAULT = 0.9
"""Findings of this severity or above are faults of the data: they outrank every gap."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a diagnostic says: one sentence with its evidence and the knobs that act on it."""

    diagnostic: str
    severity: float
    says: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    knobs: tuple[Knob, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One step of the ladder; low and high are None where there is no interval (see ``why``)."""

    rung: str
    error: float
    low: float | None
    high: float | None
    n: int | None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The step between two rungs, as fractions of 1."""

    name: str
    gap: float
    low: float | None
    high: float | None
    is_high: bool
    probability_largest: float
    probability_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The ladder, its gaps and the verdict (DESIGN: Ladder, gaps and verdict)."""

    run_id: str
    label_revision: int
    ladder: tuple[Rung, ...]
    gaps: tuple[Gap, ...]
    verdict: str
    decided: bool
    needs: Mapping[str, Any] | None
    findings: tuple[Finding, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """Every knob of the findings once, in their order."""
        found = [knob for finding in self.findings for knob in finding.knobs]
        return tuple({knob.name: knob for knob in found[::-1]}.values())[::-1]

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``diagnose --json``: plain values, NaN-free."""
        document = asdict(self)
        document |= document.pop("extra")
        return {k: v for k, v in document.items() if k != "needs" or v is not None}


@dataclass(frozen=True, kw_only=True)
class NumericPlan:
    """All that decides the bits of a training beside seed and data (DESIGN: Job).

    A job of a search holds up to ``together`` trials of one shape.
    """

    device: str = "cpu"
    dtype: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = False
    compiled: bool = False
    threads: int = 1
    fused: bool = False
    processes: int = 1
    together: int = 1


@dataclass(frozen=True, kw_only=True)
class Job:
    """The unit that workers run: a value (DESIGN: Job).

    Attributes:
        pipeline: the resolved pipeline as plain values.
        data, folder: where the prepared training data is, and where checkpoints go.
        plan: the numeric plan.
        seed: seed of initial weights, order, dropout and augmentation.
        epochs: train until this many epochs are done.
        parameters: dotted overrides that a trial makes.
        start: file of the weights that the training starts from, "" for those that the seed draws.
        start_digest: their sha256, over names, shapes and bits.
    """

    pipeline: Mapping[str, Any]
    data: str
    folder: str
    plan: NumericPlan
    seed: int
    epochs: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    start: str = ""
    start_digest: str = ""


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What a job gives, ``curve`` being each epoch's dev error; only the seconds may differ."""

    best_epoch: int
    best_dev_error: float
    epochs: int
    best_checkpoint: str
    last_checkpoint: str
    stopped_early: bool
    seconds: float
    examples_per_second: float
    curve: tuple[float, ...] = ()


def plain(value: Any) -> Any:
    """Return ``value`` with numpy scalars, arrays and tuples as JSON's own types."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value
