"""A resolved pipeline as the catalogue of knobs reads it: plain values, defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gapwise.diagnostics.evidence import Evidence

_OF_IMAGES = (
    "happy-cnn", "functional-cnn", "small-cnn", "lenet5", "alexnet", "vgg16", "resnet18",
    "resnet20", "resnet50", "resnet56", "inception", "mobilenet-v1", "mobilenet-v2", "efficientnet",
)  # fmt: skip
DENSE = ("linear-regression", "logistic-regression", "perceptron", "multilayer-perceptron")
_OF_SOUNDS = ("sounds", "spoken-digits")
_WITH_DROPOUT = ("lenet5", "small-cnn", "multilayer-perceptron")


@dataclass(frozen=True)
class PipelineView:
    """What a knob must know to tell whether it applies."""

    evidence: Evidence

    def get(self, dotted: str, default: Any = None) -> Any:
        """Return the value at a dotted key, or ``default`` where the pipeline has none."""
        inner: Any = self.evidence.pipeline
        for key in dotted.split("."):
            if not isinstance(inner, Mapping) or inner.get(key) is None:
                return default
            inner = inner[key]
        return inner

    def part(self, dotted: str) -> str:
        """Return the name of the part at a dotted key, "" where there is none."""
        found = self.get(dotted, "")
        return str(found.get("name", "")) if isinstance(found, Mapping) else str(found)

    @property
    def images(self) -> bool:
        """Whether the inputs are images."""
        if self.evidence.input_shape:
            return len(self.evidence.input_shape) == 3
        return self.part("network") in _OF_IMAGES

    @property
    def sounds(self) -> bool:
        """Whether the inputs are sounds that noise may be laid under: a voice is no noise."""
        of_voices = self.get("data.dataset.held_out") is not None
        return self.part("data.dataset") in _OF_SOUNDS and not of_voices

    @property
    def characters(self) -> bool:
        """Whether the classes are single characters: mirrored, those are other characters."""
        classes = self.evidence.classes
        return bool(classes) and all(len(name) == 1 for name in classes)

    @property
    def classifies(self) -> bool:
        """Whether every example has one class."""
        return self.part("task") in ("", "classify")

    @property
    def shift(self) -> int:
        """A shift in pixels that moves, and does not hide: a fourteenth of the height, or 1."""
        shape = self.evidence.input_shape
        return max(1, round(shape[1] / 14)) if len(shape) == 3 else 1

    @property
    def dense(self) -> bool:
        """Whether the network shares no weights."""
        return self.part("network") in DENSE

    @property
    def still_learning(self) -> bool:
        """Whether the train error fell by a tenth or more in the last quarter of the epochs.

        After three epochs or fewer nobody can tell: yes.
        """
        errors = self.evidence.train_errors
        if not errors:
            return False
        before = errors[-1 - max(1, len(errors) // 4)] if len(errors) > 3 else 0.0
        return len(errors) <= 3 or errors[-1] < 0.9 * before

    @property
    def held_back(self) -> bool:
        """Whether regularization is so strong that it may be what makes the bias."""
        dropped = self.get("network.dropout", 0)
        most = max(dropped, default=0) if isinstance(dropped, list) else dropped
        return float(self.get("training.l2", 0)) >= 0.01 or float(most) >= 0.5

    @property
    def drops(self) -> bool:
        """Whether the network has dropout to turn."""
        return self.part("network") in _WITH_DROPOUT or self.get("network.dropout") is not None
