"""The cases of benchmarks/truth/prescription.py: base trainings, and knobs turned on them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth import _plants as plants
from benchmarks.truth._plants import Generator
from benchmarks.truth._trainings import History, example_set, pipeline, trained
from gapwise import pipeline_file
from gapwise.diagnostics import evidence, ladder
from gapwise.diagnostics.catalogue import CATALOGUE
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.parts import taken
from gapwise.diagnostics.pipeline_view import PipelineView
from gapwise.records import Diagnosis, ExampleSet, HumanLevel, Predictions
from gapwise.training.callbacks import Callback

Array = NDArray[Any]

JUDGED = 600
HUMAN = 0.02
HUMAN_N = 1_000
SOURCES = {True: "phone", False: "scan"}


@dataclass(frozen=True, kw_only=True)
class Base:
    """A training to be diagnosed: examples, and what its pipeline changes."""

    train: int
    change: Mapping[str, Any]
    shifted: bool = False


def too_small(g: Generator) -> Base:
    """Return a perceptron of 3 to 6 hidden units."""
    return Base(train=2_000, change={"network": _mlp(g.integers(3, 7)), "training.epochs": 15})


def too_brief(g: Generator) -> Base:
    """Return one epoch or two of plain gradient descent."""
    rate = f"{{name: gradient-descent, lr: {g.uniform(0.01, 0.04):.3g}}}"
    epochs = int(g.integers(1, 3))
    change = {"network": _mlp(64), "training.epochs": epochs, "training.optimizer": rate}
    return Base(train=2_000, change=change)


def too_little(g: Generator) -> Base:
    """Return a perceptron on 150 to 500 examples."""
    change = {"network": _mlp(64), "training.epochs": 40}
    return Base(train=int(g.integers(150, 500)), change=change)


def held_back(g: Generator) -> Base:
    """Return a perceptron under far too much L2."""
    l2 = float(g.choice([0.05, 0.08, 0.15]))
    return Base(train=2_000, change={"network": _mlp(64), "training.epochs": 15, "training.l2": l2})


def elsewhere(g: Generator) -> Base:
    """Return a perceptron that is judged on dim or moved pictures."""
    return Base(train=1_500, change={"network": _mlp(64), "training.epochs": 15}, shifted=True)


KINDS: Mapping[str, Callable[[Generator], Base]] = {
    "too small": too_small,
    "too brief": too_brief,
    "too little data": too_little,
    "held back": held_back,
    "judged elsewhere": elsewhere,
}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A knob as it is turned here: a change of the pipeline, or further examples."""

    change: Mapping[str, Any] = field(default_factory=dict)
    more: int = 0
    target: int = 0


@dataclass(kw_only=True)
class Bench:
    """A case with its examples: train first, then those held back, then the judging ones."""

    base: Base
    dataset: str
    examples: ExampleSet
    kept: Mapping[str, Array]
    human: float
    generator_seed: int

    @classmethod
    def of(
        cls, kind: Callable[[Generator], Base], dataset: str, data: Path, generator: Generator
    ) -> "Bench":
        """Draw a case."""
        base = kind(generator)
        inputs, labels = plants.rows(dataset, data)
        train = min(base.train, len(labels) // 5)
        order = generator.permutation(len(labels))[:10_000]
        inputs, labels = inputs[order], labels[order]
        target = train // 10 if base.shifted else 0
        places = np.split(np.arange(len(labels)), np.cumsum([train, train, target]))
        rest = np.array_split(places[3], 3)
        kept = dict(zip(("train", "more", "target"), places, strict=False))
        kept |= dict(zip(("train_dev", "dev", "test"), rest, strict=True))
        moved = np.concatenate([kept["target"], kept["dev"], kept["test"]])
        sources = np.full(len(labels), SOURCES[False])
        if base.shifted:
            shift = (plants.dimmed, plants.moved)[generator.integers(2)]
            inputs = inputs.copy()
            inputs[moved] = shift(inputs[moved], generator)
            sources[moved] = SOURCES[True]
        examples = replace(example_set(dataset, inputs, labels, classes=10), sources=sources)
        return cls(
            base=base, dataset=dataset, examples=examples, kept=kept,
            human=0.06 if dataset == "fashion-mnist" else HUMAN,
            generator_seed=int(generator.integers(1 << 30)),
        )  # fmt: skip

    def change(self, turn: Turn) -> dict[str, Any]:
        """Return what the pipeline changes, as it stands and with a knob turned."""
        target = "target: phone, target_in_train: 0, " if self.base.shifted else ""
        splits = {"splits": f"{{{target}dev: 600, test: 600}}", "data.dataset": "{name: digits}"}
        return {**splits, **self.base.change, **turn.change}

    def predictions(self, turn: Turn, seed: int, *callbacks: Callback) -> dict[str, Predictions]:
        """Train with a knob turned and predict."""
        split = np.full(len(self.examples), "", "U9")
        for name in ("train", "train_dev", "dev", "test"):
            split[self.kept[name]] = name
        split[self.kept["more"][: turn.more]] = "train"
        split[self.kept["target"][: turn.target]] = "train"
        return trained(self.examples, split, self.change(turn), seed, *callbacks)

    def error(self, turn: Turn, seed: int) -> float:
        """Return the error on the untouched test examples."""
        return float(self.predictions(turn, seed)["test"].error.mean())

    @cached_property
    def evidence(self) -> Evidence:
        """Return what a diagnosis of the base has."""
        generator = np.random.default_rng(self.generator_seed)
        history = History()
        found = self.predictions(Turn(), 0, history)
        seen = [
            taken(table, np.sort(generator.permutation(len(table))[:JUDGED]))
            for name, table in found.items()
            if name != "train"
        ]
        told = int(generator.binomial(HUMAN_N, self.human)) / HUMAN_N
        people = HumanLevel(error=told, n=HUMAN_N, distribution="train", source="planted")
        resolved = pipeline_file.resolve(pipeline(self.dataset, self.change(Turn())))
        return evidence.from_memory(
            {"run": [found["train"], *seen]},
            human=(people,),
            pipeline=resolved,
            input_shape=self.examples.inputs.shape[1:],
            same_distribution=not self.base.shifted,
            train_errors=tuple(history.errors),
        )

    def diagnosed(self) -> Diagnosis:
        """Diagnose the base as a user would."""
        return ladder.diagnose(self.evidence)

    def turns(self) -> dict[str, Turn]:
        """Return every knob that applies, as it is turned here."""
        view = PipelineView(self.evidence)
        found: dict[str, Turn] = {}
        for entry in CATALOGUE:
            change = entry.change(view) if entry.change else None
            if change and entry.gap in ("avoidable_bias", "variance"):
                found[entry.id] = Turn(change=_words(change))
        found["collect-more-training-data"] = Turn(more=len(self.kept["more"]))
        if self.base.shifted:
            target = len(self.kept["target"])
            found["collect-more-training-data-like-the-target"] = Turn(target=target)
            found["train-on-all-the-target-data-that-dev-and-test-leave"] = Turn(target=target)
        return found


def _words(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a change as override words take it: lists and parts as YAML."""
    return {k: f"{v}".replace("'", "") if isinstance(v, list) else v for k, v in change.items()}


def _mlp(width: Any) -> str:
    return f"{{name: multilayer-perceptron, hidden: [{width}]}}"
