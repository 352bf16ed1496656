"""How far a training is: a bar on a terminal, one line an epoch elsewhere; always on stderr."""

import sys
import time
from collections.abc import Sequence
from typing import Any

from gapwise.records import JobResult
from gapwise.training.callbacks import Callback, Epoch, Refused, Start, Step


class Progress(Callback):
    """Shows error, examples per second and time left."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._says = ""

    def on_start(self, start: Start) -> None:
        """Open the bar, where there is a terminal."""
        self._epochs = start.epochs
        self._begun, self._first = time.monotonic(), start.step
        self._total = start.epochs * start.steps_per_epoch
        if start.step:
            _line(f"{self._label}: goes on at epoch {start.epoch + 1}, step {start.step + 1}")
        if sys.stderr.isatty():
            self._bar = _bar(self._label, self._total, start.step)
            self._bar.start()

    def on_refused(self, refused: Refused) -> None:
        """Say that a damaged checkpoint was passed over."""
        _line(f"{refused.path}: {refused.reason}; the one before it is used")

    def on_steps(self, steps: Sequence[Step]) -> None:
        """Move the bar."""
        if self._bar and steps:
            self._bar.update(0, completed=steps[-1].step, says=self._says)

    def on_epoch(self, epoch: Epoch) -> None:
        """Say where the errors stand."""
        metrics = epoch.metrics
        self._says = (
            f"train {100 * metrics['train_error']:.1f} %, dev {100 * metrics['dev_error']:.1f} %, "
            f"{epoch.examples_per_second:,.0f} examples/s"
        )
        if self._bar:
            self._bar.update(0, completed=epoch.step, says=self._says)
        else:
            left = _clock(self._seconds_left(epoch.step))
            _line(f"{self._label}: epoch {epoch.epoch}/{self._epochs}: {self._says}, {left} left")

    def on_end(self, result: JobResult) -> None:
        """Close the bar."""
        self.close()
        if result.stopped_early:
            _line(f"{self._label}: stopped early after epoch {result.epochs}; dev did not improve")

    def close(self) -> None:
        """Give the terminal back."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _seconds_left(self, step: int) -> float:
        done = max(1, step - self._first)
        return (time.monotonic() - self._begun) / done * (self._total - step)


def _line(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _bar(label: str, total: int, done: int) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[says]}"),
        console=Console(file=sys.stderr),
        transient=True,
    )
    bar.add_task(label, total=total, completed=done, says="")
    return bar
