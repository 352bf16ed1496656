"""A resolved pipeline as the catalogue of knobs reads it: plain values, defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gapwise.diagnostics.evidence import Evidence

_OF_IMAGES = (
    "happy-cnn", "functional-cnn", "small-cnn", "lenet5", "alexnet", "vgg16", "resnet18",
    "resnet20", "resnet50", "resnet56", "inception", "mobilenet-v1", "mobilenet-v2", "efficientnet",
)  # fmt: skip
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
    def drops(self) -> bool:
        """Whether the network has dropout to turn."""
        return self.part("network") in _WITH_DROPOUT or self.get("network.dropout") is not None
