"""The pipeline file's model: what may stand in it, with what meaning, and in which range.

The file is read by ``gapwise.pipeline_file``; here is only the model. Parts (dataset, network,
optimizer, …) are named with their own options beside the name; the workflow checks those against
the part's signature before anything is built.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

Size = Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Part(BaseModel):
    """A registered part by name, with its options beside the name; a bare string is a name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$",
        description="Name of a registered part; code is never named here.",
    )
    _places: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> Mapping[str, Any]:
        """The options beside the name."""
        return self.__pydantic_extra__ or {}

    @property
    def places(self) -> dict[str, str]:
        """Where the part ("") and each option were written, as ``file:line:column``, if known."""
        return self._places

    def __eq__(self, other: object) -> bool:
        """Whether name and options are equal, wherever they were written."""
        return isinstance(other, Part) and self.name == other.name and self.options == other.options

    __hash__ = None  # type: ignore[assignment]


class Data(Section):
    """Which examples."""

    dataset: Part = Field(description="Dataset or reader, with its options.")
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


class Augmentation(Section):
    """Label-keeping changes to training images, drawn anew each epoch (notes 5.17)."""

    mirror: bool = Field(default=False, description="Mirror half of the images left to right.")
    shift: int = Field(default=0, ge=0, le=64, description="Shift by up to this many pixels.")


class EarlyStopping(Section):
    """Stop when dev has not improved for a while; each such look is a choice on dev."""

    patience: int = Field(default=5, ge=1, description="Epochs without a better dev error.")


class Training(Section):
    """How the network is trained."""

    epochs: int = Field(default=10, ge=1, description="Passes over the training set.")
    batch_size: int = Field(default=128, ge=1, description="Examples a step.")
    optimizer: Part = Field(default=Part(name="adam"), description="Optimizer, with its options.")
    schedule: Part = Field(default=Part(name="constant"), description="Learning-rate schedule.")
    l2: float = Field(default=0.0, ge=0, description="λ of L2 on weights (not biases, not norms).")
    augmentation: Augmentation = Field(default=Augmentation(), description="Augmentation.")
    early_stopping: EarlyStopping | None = Field(default=None, description="Early stopping.")
    checkpoint_seconds: float = Field(
        default=60.0, gt=0, description="Seconds between checkpoints inside an epoch."
    )
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|mps|cuda(:[0-9]{1,3})?)$",
        description="auto, cpu, cuda, cuda:1, mps.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="auto measures which is faster here and pins it with the run."
    )
    compile: bool = Field(default=False, description="torch.compile: pays only for long runs.")
    threads: int | None = Field(default=None, ge=1, description="CPU threads; empty: all cores.")


class Human(Section):
    """A measured human level; none is ever invented."""

    error: float = Field(ge=0, le=1, description="Error as a fraction of 1.")
    n: int | None = Field(default=None, ge=1, description="Examples that it was measured on.")
    distribution: Literal["train", "target"] = Field(default="train", description="Measured where.")
    source: str = Field(default="", description="Who measured it, and where it is written.")


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
    human: tuple[Human, ...] = Field(default=(), description="Measured human levels.")
    diagnosis: Diagnosis = Field(default=Diagnosis(), description="When a gap counts.")
