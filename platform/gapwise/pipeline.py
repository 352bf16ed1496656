"""The pipeline file's model: what may stand in it, with what meaning, and in which range.

The file is read by ``gapwise.pipeline_file``; here is only the model. Parts (dataset, network,
optimizer, …) are named with their own options beside the name; the workflow checks those against
the part's signature before anything is built.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gapwise.pipeline_parts import Part, Section
from gapwise.pipeline_search import Search
from gapwise.pipeline_training import Prediction, Training, Transfer

Size = Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)]


class Data(Section):
    """Which examples."""

    dataset: Part = Field(description="Dataset or reader, with its options.")
    labels: Literal["latest"] | Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Label revision: a place in the ledger, or latest, which a run pins; by "
        "default labels are as the data came.",
    )
    duplicates: Literal["stop", "drop", "allow"] = Field(
        default="stop",
        description="Equal inputs in several splits: stop, drop them from train, or allow them.",
    )
    synthesize: Part | None = Field(
        default=None,
        description="Make training data look like the target: adds a synthesized copy of every "
        "training example that does not come from the target.",
    )
    max_quarantine: float | None = Field(
        default=None,
        ge=0,
        description="Stop when more than this many examples (a share below 1, else a count) are "
        "bad; by default 1 % or 100, whichever is more.",
    )


class Splits(Section):
    """Who trains, who decides, who judges (notes 4.5, 4.13, 4.14)."""

    target: str | None = Field(
        default=None,
        description="Source that dev and test are drawn from; empty: all data is one distribution.",
    )
    dev: Size = Field(default=0.2, description="Dev examples: a count, or a share of the target.")
    test: Size = Field(default=0.2, description="Test examples: a count, or a share of the target.")
    train_dev: Size = Field(
        default=0.1,
        description="Train-dev examples: a count, or a share of the training distribution.",
    )
    target_in_train: Size | Literal["rest"] = Field(
        default="rest",
        description="Target examples that join the training distribution: a count, a share of the "
        "target, or all that dev and test leave.",
    )
    stratify: bool = Field(default=True, description="Draw every class at the same rate.")
    seed: int = Field(default=0, ge=0, description="Seed of the draw, apart from the run's seed.")
    cuts: str | None = Field(
        default=None, description="File of a saved split: adding data then moves nobody."
    )

    @model_validator(mode="after")
    def _leaves_room(self) -> "Splits":
        named = {"dev": self.dev, "test": self.test, "target_in_train": self.target_in_train}
        shares = {key: value for key, value in named.items() if isinstance(value, float)}
        if sum(shares.values()) > 1:
            told = " + ".join(f"{key} {value:g}" for key, value in shares.items())
            raise ValueError(f"{told} is more than all of the target; lower them to at most 1")
        return self


class Human(Section):
    """A measured human level; none is ever invented."""

    error: float = Field(ge=0, le=1, description="Error as a fraction of 1.")
    n: int | None = Field(default=None, ge=1, description="Examples that it was measured on.")
    distribution: Literal["train", "target"] = Field(default="train", description="Measured where.")
    source: str = Field(default="", description="Who measured it, and where it is written.")
    name: str = Field(
        default="", description="Whose level it is, as typical, expert or team (notes 4.7)."
    )


class Diagnosis(Section):
    """When a gap counts."""

    delta: float = Field(
        default=0.01, gt=0, lt=1, description="A gap is high when it exceeds this, surely."
    )


class Pipeline(Section):
    """One pipeline: data, splits, task, network, training and how it is judged."""

    name: str = Field(default="", description="Name; by default the file's stem.")
    description: str = Field(default="", description="One sentence for people.")
    seed: int = Field(default=0, ge=0, description="Seed of weights, order and augmentation.")
    data: Data = Field(description="Which examples.")
    splits: Splits = Field(default=Splits(), description="Train, train-dev, dev and test.")
    task: Part = Field(default=Part(name="classify"), description="What the network is for.")
    network: Part = Field(description="Network, with its options.")
    training: Training = Field(default=Training(), description="How it is trained.")
    prediction: Prediction = Field(default=Prediction(), description="How it predicts.")
    transfer: Transfer | None = Field(default=None, description="Start from learned weights.")
    human: tuple[Human, ...] = Field(default=(), description="Measured human levels.")
    diagnosis: Diagnosis = Field(default=Diagnosis(), description="When a gap counts.")
    search: Search | None = Field(default=None, description="Which knobs are searched, and how.")
