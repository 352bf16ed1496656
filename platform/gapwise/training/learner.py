"""A model with its optimizer: one step, one evaluation, and what of them is saved."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from gapwise.records import NumericPlan
from gapwise.training.feeds import Batch, Feed
from gapwise.training.model import Model
from gapwise.training.numerics import autocast
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.training.order import cut
from gapwise.training.recipe import Recipe, build

EVALUATION_BATCH = 512


class Scored(NamedTuple):
    """Means over some examples, each weighted by its weight."""

    loss: float
    error: float


class Learner:
    """A model in training on a device, under a numeric plan."""

    def __init__(self, model: Model, recipe: Recipe, plan: NumericPlan) -> None:
        self.device = torch.device(plan.device)
        self.model = ready(model, plan)
        self._forward = cast(nn.Module, torch.compile(model)) if plan.compiled else model
        self._plan = plan
        self.optimizer: Optimizer = build(
            OPTIMIZERS, recipe.optimizer, weight_groups(model, recipe.l2), plan.fused
        )
        self._lr = float(self.optimizer.param_groups[0]["lr"])

    def step(self, batch: Batch, factor: float) -> tuple[Tensor, Tensor]:
        """Train on one batch at ``factor`` times the optimizer's rate.

        Returns:
            Mean loss and mean error of the batch before the step, scalars on the device.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr(factor)
        self.optimizer.zero_grad(set_to_none=True)
        task = self.model.task
        outputs, losses = self.losses(batch)
        loss = mean(losses, batch.weights)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        with torch.no_grad():
            wrong = task.error(task.predict(outputs), batch.targets)
            return loss.detach(), mean(wrong, batch.weights)

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the outputs (n, units) and what training minimises of each example, (n,)."""
        with autocast(self._plan):
            outputs = self._forward(batch.inputs)
        return outputs, self.model.task.loss(outputs, batch.targets)

    def lr(self, factor: float) -> float:
        """Return the learning rate at ``factor``."""
        return self._lr * factor

    def evaluate(
        self, feed: Feed, positions: NDArray[np.int64], between: Callable[[], None]
    ) -> Scored:
        """Return mean loss and error of the examples at ``positions``, in evaluation mode.

        ``between`` is called after each batch, and may raise to stop.
        """
        task = self.model.task
        sums: list[Tensor] = []
        with evaluating(self.model):
            for batch in feed.batches(cut(positions, EVALUATION_BATCH)):
                with autocast(self._plan):
                    outputs = self._forward(batch.inputs)
                loss = task.loss(outputs, batch.targets)
                error = task.error(task.predict(outputs), batch.targets)
                weight = torch.ones_like(loss) if batch.weights is None else batch.weights
                sums.append(torch.stack([loss * weight, error * weight, weight]).sum(1))
                between()
        total = torch.stack(sums).cpu().double().sum(0)
        return Scored(float(total[0] / total[2]), float(total[1] / total[2]))

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors that a resume needs: ``model.*`` and ``optimizer.<i>.*``."""
        named = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        state = self.optimizer.state_dict()["state"]
        for i, entries in state.items():
            for name, value in entries.items():
                if isinstance(value, Tensor):
                    named[f"optimizer.{i}.{name}"] = value
        return named

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what ``tensors()`` gave, into the memory layout that is in use here."""
        self.model.load_state_dict(dict(under_prefix(tensors, "model.")))
        weights = [w for group in self.optimizer.param_groups for w in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in under_prefix(tensors, "optimizer."):
            index, _, entry = name.partition(".")
            state.setdefault(int(index), {})[entry] = _laid_out(value, weights[int(index)])
        document = self.optimizer.state_dict()
        self.optimizer.load_state_dict(document | {"state": state})


def ready(model: Model, plan: NumericPlan) -> Model:
    """Return ``model`` on the plan's device, in its memory format."""
    model.to(plan.device)
    if plan.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        model.channels_last = True
    return model


def weight_groups(model: nn.Module, l2: float) -> list[dict[str, Any]]:
    """Return parameter groups: L2 acts on weights, not on biases and norms (notes 3.4)."""
    weights = [w for w in model.parameters() if w.requires_grad and w.ndim > 1]
    others = [w for w in model.parameters() if w.requires_grad and w.ndim <= 1]
    groups = [{"params": weights, "weight_decay": l2}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """No gradients, no dropout, batch norm by its running averages (notes 3.16)."""
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train()


def under_prefix(tensors: Mapping[str, Tensor], prefix: str) -> Iterator[tuple[str, Tensor]]:
    """Give the tensors whose names start with ``prefix``, without it."""
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), tensor


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether no entry of any floating-point tensor is NaN or infinite."""
    sums = [t.detach().double().sum() for t in tensors if t.is_floating_point()]
    return not sums or bool(torch.stack(sums).isfinite().all())


def mean(values: Tensor, weights: Tensor | None) -> Tensor:
    """Return the mean of ``values`` (n,), weighted where there are weights."""
    if weights is None:
        return values.mean()
    return (values * weights).sum() / weights.sum()


def _laid_out(value: Tensor, weight: Tensor) -> Tensor:
    # Fused kernels walk weight and state side by side in memory: equal strides, equal bits.
    if value.shape != weight.shape:
        return value
    return torch.empty_like(weight, dtype=value.dtype, requires_grad=False).copy_(value)
