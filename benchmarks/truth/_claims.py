"""The claims of the notes that benchmarks/truth/claims.py tries: two arms each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SMALL_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One side of a comparison: its name, what it changes in the pipeline, and its rates."""

    name: str
    change: Mapping[str, Any] = field(default_factory=dict)
    rates: Sequence[float] = RATES
    data: str = ""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the notes say: ``better`` has the lower ``measure`` than ``worse``."""

    name: str
    section: str
    says: str
    better: Arm
    worse: Arm
    data: str = "digits"
    measure: str = "train_loss"
    common: Mapping[str, Any] = field(default_factory=dict)


def mlp(*hidden: int, **options: Any) -> dict[str, Any]:
    """Return a multilayer perceptron with ``hidden`` units."""
    return {"name": "multilayer-perceptron", "hidden": list(hidden), **options}


def residual(layers: int, shortcut: str) -> dict[str, Any]:
    """Return a narrow residual network, or its plain twin."""
    return {"name": f"resnet{layers}", "width": 8, "shortcut": shortcut}


PLAIN = {"training.optimizer.name": "gradient-descent"}
MOMENTUM = {"training.optimizer.name": "momentum"}
DEEP = {"network": mlp(*[64] * 20), "training.epochs": 10} | MOMENTUM
PHOTOS = {"training.epochs": 6, "training.batch_size": 64} | MOMENTUM
DEEP_RATES = (0.03, 0.1)
CLAIMS = (
    Claim(
        name="momentum",
        section="3.10",
        says="momentum is faster than plain gradient descent",
        better=Arm(name="momentum", change=MOMENTUM),
        worse=Arm(name="plain", change=PLAIN),
    ),
    Claim(
        name="rmsprop",
        section="3.11",
        says="RMSprop is faster than plain gradient descent",
        better=Arm(
            name="rmsprop", change={"training.optimizer.name": "rmsprop"}, rates=SMALL_RATES
        ),
        worse=Arm(name="plain", change=PLAIN),
    ),
    Claim(
        name="adam",
        section="3.12",
        says="Adam is faster than plain gradient descent",
        better=Arm(name="adam", change={"training.optimizer.name": "adam"}, rates=SMALL_RATES),
        worse=Arm(name="plain", change=PLAIN),
    ),
    Claim(
        name="he",
        section="3.6",
        says="He's variance trains a 20-layer ReLU network, small random weights do not",
        common=DEEP,
        better=Arm(name="he", change={"training.initializer": "he"}),
        worse=Arm(name="small random", change={"training.initializer": "small-random"}),
    ),
    Claim(
        name="zeros",
        section="1.7.2",
        says="weights of zero never break the symmetry of hidden units",
        common={"network": mlp(32)} | MOMENTUM,
        better=Arm(name="small random", change={"training.initializer": "small-random"}),
        worse=Arm(name="zeros", change={"training.initializer": "zeros"}),
    ),
    Claim(
        name="normalised",
        section="3.5",
        says="normalised inputs train faster than raw ones",
        common={"network": mlp(16)} | PLAIN,
        better=Arm(name="normalised", data="cancer"),
        worse=Arm(name="raw", data="cancer-raw", rates=(1e-8, 1e-7, 1e-6, 1e-5, *SMALL_RATES)),
    ),
    Claim(
        name="mini-batch",
        section="3.8",
        says="mini-batches learn more from an epoch than the whole batch",
        common=PLAIN,
        better=Arm(name="64", change={"training.batch_size": 64}),
        worse=Arm(name="all", change={"training.batch_size": "all"}),
    ),
    Claim(
        name="stochastic",
        section="3.8",
        says="single examples lose the speed of vectors (seconds an example)",
        measure="seconds_an_example",
        common=PLAIN | {"training.epochs": 2},
        better=Arm(name="64", change={"training.batch_size": 64}, rates=(0.01,)),
        worse=Arm(name="1", change={"training.batch_size": 1}, rates=(0.01,)),
    ),
    Claim(
        name="batch-norm",
        section="3.15",
        says="batch norm speeds up the training of a deep network",
        common=PLAIN,
        better=Arm(name="batch norm", change={"network": mlp(*[64] * 8, batch_norm="before")}),
        worse=Arm(name="none", change={"network": mlp(*[64] * 8)}),
    ),
    Claim(
        name="decay",
        section="3.13",
        says="decay settles where a constant rate wanders (both start at 0.3, batches of 8)",
        common=PLAIN | {"training.batch_size": 8, "training.epochs": 20},
        better=Arm(
            name="1/(1 + epoch)",
            change={"training.schedule": {"name": "inverse-time", "decay": 1.0}},
            rates=(0.3,),
        ),
        worse=Arm(name="constant", rates=(0.3,)),
    ),
    Claim(
        name="l2",
        section="3.4",
        says="L2 lowers the dev error of a large network on 200 examples",
        data="few-digits",
        measure="dev_error",
        common={"network": mlp(256, 256), "training.epochs": 60} | MOMENTUM,
        better=Arm(name="l2 = 0.03", change={"training.l2": 0.03}, rates=(0.03,)),
        worse=Arm(name="none", rates=(0.03,)),
    ),
    Claim(
        name="dropout",
        section="3.4.2",
        says="dropout lowers the dev error of a large network on 200 examples",
        data="few-digits",
        measure="dev_error",
        common={"training.epochs": 60} | MOMENTUM,
        better=Arm(name="half", change={"network": mlp(256, 256, dropout=0.5)}, rates=(0.03,)),
        worse=Arm(name="none", change={"network": mlp(256, 256)}, rates=(0.03,)),
    ),
    Claim(
        name="more-data",
        section="2.2",
        says="a large network gains from more data (1,200 digits against 200)",
        measure="dev_error",
        common={"network": mlp(256, 256), "training.epochs": 30} | MOMENTUM,
        better=Arm(name="1,200", rates=(0.03,)),
        worse=Arm(name="200", data="few-digits", rates=(0.03,)),
    ),
    Claim(
        name="larger",
        section="2.2",
        says="with enough data a larger network is better (256-256 against 8 units)",
        measure="dev_error",
        common={"training.epochs": 30} | MOMENTUM,
        better=Arm(name="256-256", change={"network": mlp(256, 256)}, rates=(0.03,)),
        worse=Arm(name="8", change={"network": mlp(8)}, rates=(0.03,)),
    ),
    Claim(
        name="plain-deeper",
        section="5.11",
        says="without shortcuts 56 layers train worse than 20",
        data="cifar",
        common=PHOTOS,
        better=Arm(name="plain 20", change={"network": residual(20, "none")}, rates=DEEP_RATES),
        worse=Arm(name="plain 56", change={"network": residual(56, "none")}, rates=DEEP_RATES),
    ),
    Claim(
        name="residual",
        section="5.11",
        says="with shortcuts 56 layers train better than without",
        data="cifar",
        common=PHOTOS,
        better=Arm(name="residual 56", change={"network": residual(56, "pad")}, rates=DEEP_RATES),
        worse=Arm(name="plain 56", change={"network": residual(56, "none")}, rates=DEEP_RATES),
    ),
)
