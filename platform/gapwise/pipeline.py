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

    mirror: bool = Field(
        default=False,
        description="Mirror half of the images left to right; not where that makes another label "
        "of it, as of digits and letters.",
    )
    shift: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Shift by up to this many pixels along each side; zeros come in.",
    )
    crop: float = Field(
        default=1.0,
        ge=0.05,
        le=1,
        description="Random crop: a window of between this share of the area and all of it, "
        "scaled back to size; 1 crops nothing.",
    )
    rotation: float = Field(
        default=0.0, ge=0, le=180, description="Turn by up to this many degrees either way."
    )
    shear: float = Field(
        default=0.0, ge=0, le=60, description="Slant sideways by up to this many degrees."
    )
    warp: float = Field(
        default=0.0,
        ge=0,
        le=64,
        description="Local warping: displace by a smooth random field of up to this many pixels; "
        "beyond a tenth of the side an image may fold over.",
    )
    colour: float = Field(
        default=0.0,
        ge=0,
        le=255,
        description="Colour shift: add to each channel up to this much of 255, more or less; a "
        "grey image gets brighter or darker.",
    )
    pca_colour: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="PCA colour: shift along the principal colours of the training set by normal "
        "multiples of this deviation (AlexNet: 0.1); a grey image gets brighter or darker.",
    )


class EarlyStopping(Section):
    """Stop when dev has not improved for a while; each such look is a choice on dev."""

    patience: int = Field(default=5, ge=1, description="Epochs without a better dev error.")


class WeightAverage(Section):
    """Judge and keep a moving average of the weights (notes 3.9), not the last ones."""

    beta: float = Field(
        default=0.99,
        ge=0,
        lt=1,
        description="β: the average is over about the last 1/(1 − β) steps.",
    )


class Training(Section):
    """How the network is trained."""

    epochs: int = Field(default=10, ge=1, description="Passes over the training set.")
    batch_size: Annotated[int, Field(ge=1)] | Literal["all"] = Field(
        default=128,
        description="Examples a step: all is batch gradient descent, 1 stochastic (notes 3.8).",
    )
    optimizer: Part = Field(default=Part(name="adam"), description="Optimizer, with its options.")
    schedule: Part = Field(default=Part(name="constant"), description="Learning-rate schedule.")
    initializer: Part | None = Field(
        default=None, description="How the first weights are drawn; empty: the network's own way."
    )
    l2: float = Field(
        default=0.0,
        ge=0,
        description="L2 on weights, not on biases and norms: adds l2/2·‖W‖² to the loss, so the "
        "notes' λ over m examples (3.4) is l2 = λ/m.",
    )
    clip_norm: float | None = Field(
        default=None,
        gt=0,
        description="Longest gradient, as the norm over all weights: a longer one is scaled down "
        "to it (before L2 adds its part); empty: none is.",
    )
    accumulate: int = Field(
        default=1,
        ge=1,
        description="Parts that a batch is cut into to save memory: the gradient is that of the "
        "whole batch, but batch norm and dropout see each part alone.",
    )
    weight_average: WeightAverage | None = Field(
        default=None, description="Average of the weights that is judged, kept and used."
    )
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


class Transfer(Section):
    """Start from weights learned elsewhere, and train all or some layers (notes 4.16, 5.16)."""

    start: str = Field(
        min_length=1,
        description="Where the weights come from: a run (id, name, latest, best), a pipeline (its "
        "latest finished run; it is trained first where there is none) or a file of weights.",
    )
    head: Literal["replace", "keep"] = Field(
        default="replace",
        description="Draw the last layer anew for the new classes, or keep it for the same ones.",
    )
    train_last: int | None = Field(
        default=None,
        ge=1,
        description="Layers with weights that train, counted from the last; empty: all of them.",
    )
    unfreeze_at: int | None = Field(
        default=None, ge=2, description="Epoch from which all layers train; empty: never."
    )
    unfreeze_lr: float = Field(
        default=0.1, gt=0, le=1, description="Factor on the learning rate from that epoch on."
    )
    precompute: bool = Field(
        default=False,
        description="Compute the outputs of the frozen layers once and train on them.",
    )

    @model_validator(mode="after")
    def _freezes_something(self) -> "Transfer":
        for name, value in (("unfreeze_at", self.unfreeze_at), ("precompute", self.precompute)):
            if value and self.train_last is None:
                raise ValueError(
                    f"{name} needs frozen layers; set train_last to the count of layers that train"
                )
        return self


class Prediction(Section):
    """How a finished network looks at the pictures that it predicts (notes 5.18).

    The dev error while training, exported networks and the Networks page look at each picture once,
    as it is.
    """

    crops: Literal[1, 5, 10] = Field(
        default=1,
        description="Crops of each picture whose scores are averaged in stored predictions and by "
        "gapwise predict: 1, the picture as it is; 5, its corners and centre; 10, these and their "
        "mirror images (not where a mirror image means another class, as of digits).",
    )
    margin: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Pixels of zeros around the picture that 5 and 10 crops are cut from, so that "
        "each has the picture's size: they are the picture shifted by so much.",
    )


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
    prediction: Prediction = Field(default=Prediction(), description="How it predicts.")
    transfer: Transfer | None = Field(default=None, description="Start from learned weights.")
    human: tuple[Human, ...] = Field(default=(), description="Measured human levels.")
    diagnosis: Diagnosis = Field(default=Diagnosis(), description="When a gap counts.")
