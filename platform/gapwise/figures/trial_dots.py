"""Trials and knobs as the figures of a search draw them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gapwise.figures import palette, words

SCALE: Final = [[0.0, palette.INK], [0.5, palette.BLUE], [1.0, palette.STEEL]]
"""The darker, the lower the error."""


@dataclass(frozen=True, kw_only=True)
class TrialDot:
    """One trial: its number, state, error, places by knob (0 to 1), setting and curve."""

    number: int
    state: str
    error: float
    places: Mapping[str, float]
    setting: str
    curve: tuple[float, ...]

    @property
    def ended(self) -> bool:
        """Whether it was trained to the end."""
        return self.state == "done"


@dataclass(frozen=True, kw_only=True)
class KnobAxis:
    """A knob as an axis: its key, what stands at some places, and each round's range there."""

    key: str
    ticks: Mapping[float, str]
    ranges: tuple[tuple[float, float] | None, ...]


def told(dot: TrialDot) -> str:
    """Return a trial as it is told where it is pointed at: already safe for plotly."""
    epochs = words.count(len(dot.curve), "epoch")
    head = f"trial {dot.number}: {words.percent(dot.error)} after {epochs}"
    lines = "<br>".join(words.plotly_text(line) for line in dot.setting.split("\n"))
    return f"{head} ({dot.state})<br>{lines}"


def examples() -> list[TrialDot]:
    """Return some trials (made-up numbers), as the figures' examples draw them."""
    return [
        TrialDot(
            number=number,
            state="done" if number % 3 == 0 else "stopped",
            error=0.1 + 0.05 * number,
            places={
                "training.optimizer.lr": 0.1 * number,
                "training.batch_size": 0.9 - 0.1 * number,
            },
            setting=f"lr = {0.001 * number:g}",
            curve=(0.5, 0.3, 0.1 + 0.05 * number)[: 3 if number % 3 == 0 else 1],
        )
        for number in range(8)
    ]


def example_axes() -> tuple[KnobAxis, KnobAxis]:
    """Return two knobs and the ranges of two rounds (made-up numbers)."""
    ticks = {0.0: "low", 0.5: "middle", 1.0: "high"}
    return (
        KnobAxis(key="training.optimizer.lr", ticks=ticks, ranges=((0.0, 1.0), (0.1, 0.5))),
        KnobAxis(key="training.batch_size", ticks=ticks, ranges=((0.0, 1.0), (0.4, 0.9))),
    )
