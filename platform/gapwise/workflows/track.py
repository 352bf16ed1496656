"""Training into a tracked run: what the loop tells becomes points of the spool."""

from collections.abc import Sequence

from gapwise.tracking.writer import RunWriter
from gapwise.training.callbacks import Callback, Epoch, Start, Step


class TrackRun(Callback):
    """Writes every step's loss and every epoch's metrics; durable before each checkpoint."""

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer

    def on_start(self, start: Start) -> None:
        """Keep the network's size."""
        self._writer.log_metric("parameters", start.parameters, 0)

    def on_steps(self, steps: Sequence[Step]) -> None:
        """Keep the loss and learning rate of each step."""
        for step in steps:
            self._writer.log_metrics({"loss": step.loss, "lr": step.lr}, step.step)

    def on_epoch(self, epoch: Epoch) -> None:
        """Keep the metrics of an epoch, and how fast it went."""
        speed = {"examples_per_second": epoch.examples_per_second, "seconds": epoch.seconds}
        self._writer.log_metrics({**epoch.metrics, **speed}, epoch.epoch)

    def before_checkpoint(self) -> None:
        """Make the points durable: a resumed run tells none of them again."""
        self._writer.sync()
