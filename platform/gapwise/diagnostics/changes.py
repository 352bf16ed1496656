"""The one-knob diffs: each looks at a pipeline and returns dotted key → value, or None.

None means that the knob does not apply, or is turned already.
"""

from collections.abc import Mapping
from typing import Any

from gapwise.diagnostics.pipeline_view import DENSE, PipelineView

Change = Mapping[str, Any]

_SMALLER = (*DENSE, "happy-cnn", "functional-cnn", "lenet5")


def longer(view: PipelineView) -> Change:
    """Twice the epochs."""
    return {"training.epochs": 2 * int(view.get("training.epochs", 10))}


def no_duplicates(view: PipelineView) -> Change | None:
    """Equal inputs leave train, where they are allowed."""
    allowed = view.get("data.duplicates", "stop") == "allow"
    return {"data.duplicates": "drop"} if allowed else None


def _width(view: PipelineView) -> tuple[str, list[int] | int] | None:
    """The option that sets how wide the network is, with its value now."""
    network = view.part("network")
    if network == "multilayer-perceptron":
        return "network.hidden", [int(n) for n in view.get("network.hidden", [128])]
    if network == "small-cnn":
        return "network.channels", [int(n) for n in view.get("network.channels", [32, 64])]
    if network == "resnet20":
        return "network.width", int(view.get("network.width", 16))
    return None


def wider(view: PipelineView) -> Change | None:
    """Twice the units or channels of every layer."""
    found = _width(view)
    if found is None:
        return None
    key, width = found
    return {key: [2 * n for n in width] if isinstance(width, list) else 2 * width}


def deeper(view: PipelineView) -> Change | None:
    """One more hidden layer of the last one's size."""
    # Where each layer has a dropout of its own, one more layer is more than one knob.
    if view.part("network") != "multilayer-perceptron" or isinstance(
        view.get("network.dropout"), list
    ):
        return None
    hidden = [int(n) for n in view.get("network.hidden", [128])]
    return {"network.hidden": [*hidden, hidden[-1]]}


def adam(view: PipelineView) -> Change | None:
    """Adam, where it is not used yet."""
    return None if view.part("training.optimizer") == "adam" else {"training.optimizer": "adam"}


def schedule(view: PipelineView) -> Change | None:
    """A one-cycle schedule in place of a constant rate."""
    constant = view.part("training.schedule") in ("", "constant")
    return {"training.schedule": "one-cycle"} if constant else None


def architecture(view: PipelineView) -> Change | None:
    """The next better network for images."""
    if not view.images:
        return None
    better = {**dict.fromkeys(_SMALLER, "small-cnn"), "small-cnn": "resnet20"}
    found = better.get(view.part("network"))
    return {"network": found} if found else None


def convolutions(view: PipelineView) -> Change | None:
    """A network of convolutions in place of a perceptron on images."""
    return architecture(view) if view.dense else None


def regularize_less(view: PipelineView) -> Change | None:
    """No L2, or no dropout."""
    if view.get("training.l2", 0):
        return {"training.l2": 0.0}
    return {"network.dropout": 0.0} if any(_dropped(view)) else None


def _dropped(view: PipelineView) -> list[float]:
    """The share of units switched off, one number or one a layer."""
    now = view.get("network.dropout", 0)
    return [float(share) for share in now] if isinstance(now, list) else [float(now)]


def l2(view: PipelineView) -> Change | None:
    """Some L2, or three times as much."""
    now = float(view.get("training.l2", 0))
    return {"training.l2": float(f"{3 * now:.2g}") if now else 5e-4} if now < 0.1 else None


def dropout(view: PipelineView) -> Change | None:
    """Some dropout, or more of it, up to one half."""
    now = _dropped(view)
    if not view.drops or min(now, default=0.5) >= 0.5:
        return None
    more = [max(share, min(0.5, round(share + 0.3, 2))) for share in now]
    return {"network.dropout": more if isinstance(view.get("network.dropout"), list) else more[0]}


def shift(view: PipelineView) -> Change | None:
    """Small shifts of images, where none are made yet."""
    if not view.images or view.get("training.augmentation.shift", 0):
        return None
    return {"training.augmentation.shift": view.shift}


def mirror(view: PipelineView) -> Change | None:
    """Mirroring, where it keeps the class: what it does to a number nobody knows."""
    mirrors = view.get("training.augmentation.mirror", False)
    if mirrors or not view.images or view.characters or not view.classifies:
        return None
    return {"training.augmentation.mirror": True}


def early(view: PipelineView) -> Change | None:
    """Stop after 5 epochs without progress."""
    stops = view.get("training.early_stopping") is not None
    return None if stops else {"training.early_stopping.patience": 5}


def smaller(view: PipelineView) -> Change | None:
    """Half the units or channels of every layer."""
    found = _width(view)
    if found is None:
        return None
    key, width = found
    return {key: [max(1, n // 2) for n in width] if isinstance(width, list) else width // 2}


def synthesize(view: PipelineView) -> Change | None:
    """Images redrawn by the camera model, or noise under sounds, where there is a target."""
    made = "camera" if view.images else "noise" if view.sounds else ""
    able = made and view.get("splits.target") is not None
    return {"data.synthesize": made} if able and not view.part("data.synthesize") else None


def rest(view: PipelineView) -> Change | None:
    """All target data that dev and test leave, where training gets less."""
    some = view.get("splits.target") is not None
    rest = view.get("splits.target_in_train", "rest") == "rest"
    return {"splits.target_in_train": "rest"} if some and not rest else None


def bigger_dev(view: PipelineView) -> Change:
    """Twice the dev examples, at most two fifths."""
    now = view.get("splits.dev", 0.2)
    return {"splits.dev": 2 * now if isinstance(now, int) else min(0.4, 2 * float(now))}
