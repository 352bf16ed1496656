"""How far a training is: what a checkpoint holds beside weights and optimizer."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gapwise.training.callbacks import Step


class Progress:
    """Epochs done, their metrics, and the steps of the epoch that is running.

    Attributes:
        history: the metrics of each epoch that is done.
        ends: steps over all epochs at the end of each epoch that is done.
        step: steps done in the running epoch.
        steps: steps of an epoch.
        seconds: seconds trained so far, over all attempts; not compared.
    """

    def __init__(self, steps: int, device: torch.device) -> None:
        self.history: list[dict[str, float]] = []
        self.ends: list[int] = []
        self.step = 0
        self.steps = steps
        self.seconds = 0.0
        self._told = 0
        # Losses stay on the device until they are told: asking for one at each step would wait.
        self._losses = torch.zeros(steps, device=device)
        self._errors = torch.zeros(steps, device=device)

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.history)

    @property
    def total_steps(self) -> int:
        """Steps done over all epochs."""
        return (self.ends[-1] if self.ends else 0) + self.step

    @property
    def best_step(self) -> int | None:
        """Steps over all epochs at the end of the best epoch; None before there is one."""
        return self.ends[best_epoch(self.history) - 1] if self.ends else None

    def record(self, loss: Tensor, error: Tensor) -> None:
        """Note one step's mean loss and error."""
        self._losses[self.step] = loss
        self._errors[self.step] = error
        self.step += 1

    def untold(self, sizes: Sequence[int], rates: Sequence[float]) -> list[Step]:
        """Return the steps since the last call, and count them as told.

        Args:
            sizes: examples of each batch of the epoch.
            rates: learning rate of each untold step.
        """
        first, self._told = self._told, self.step
        losses = self._losses[first : self.step].tolist()
        before = self.total_steps - self.step
        return [
            Step(epoch=self.epoch + 1, step=before + at + 1, loss=loss, lr=lr, examples=sizes[at])
            for at, loss, lr in zip(range(first, self.step), losses, rates, strict=True)
        ]

    def means(self, sizes: Sequence[int]) -> tuple[float, float]:
        """Return the epoch's mean loss and error, each example counting once."""
        counts = torch.tensor(sizes, dtype=torch.float64)
        both = torch.stack([self._losses, self._errors]).cpu().double()
        loss, error = (both * counts).sum(1) / counts.sum()
        return float(loss), float(error)

    def close_epoch(self, metrics: Mapping[str, float]) -> None:
        """Take the metrics of the epoch that is done, and begin the next."""
        self.ends.append(self.total_steps)
        self.history.append(dict(metrics))
        self.step = self._told = 0

    def values(self) -> dict[str, Any]:
        """Return the plain values that a checkpoint holds."""
        return {
            "history": self.history,
            "ends": self.ends,
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best_step,
        }

    def tensors(self) -> dict[str, Tensor]:
        """Return the steps of the running epoch, as a checkpoint holds them."""
        losses, errors = self._losses[: self.step], self._errors[: self.step]
        return {"progress.losses": losses, "progress.errors": errors}

    def restore(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take what ``values()`` and ``tensors()`` gave."""
        self.history = [dict(metrics) for metrics in values["history"]]
        self.ends = list(values["ends"])
        self.step = self._told = values["step"]
        self.seconds = values["seconds"]
        self._losses[: self.step] = tensors["progress.losses"].to(self._losses.device)
        self._errors[: self.step] = tensors["progress.errors"].to(self._errors.device)


def best_epoch(history: Sequence[Mapping[str, float]]) -> int:
    """Return the epoch (from 1) of the lowest dev error, the first among equals; 0 for none."""
    errors = [metrics["dev_error"] for metrics in history]
    return errors.index(min(errors)) + 1 if errors else 0


def is_stopped(history: Sequence[Mapping[str, float]], patience: int | None) -> bool:
    """Return whether dev has not improved for ``patience`` epochs (early stopping, notes 3.4.3)."""
    return patience is not None and bool(history) and len(history) - best_epoch(history) >= patience
