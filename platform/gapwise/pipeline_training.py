"""The sections of a pipeline file that say how a network is trained and how it predicts."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gapwise.pipeline_parts import Part, Section


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
