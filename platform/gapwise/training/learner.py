"""A model with its optimizer: one step, one evaluation, and what of them is saved."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from gapwise.networks.base import Branched
from gapwise.records import NumericPlan
from gapwise.tasks.base import Task
from gapwise.training.distributed import (
    add_gradients,
    added,
    added_up,
    cut_for_this_process,
    part_lengths,
    part_of,
    start_alike,
)
from gapwise.training.feeds import Batch, Feed
from gapwise.training.freezing import thaw
from gapwise.training.model import Model
from gapwise.training.named_tensors import all_finite, laid_out_like, under_prefix
from gapwise.training.numerics import autocast
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.training.order import cut
from gapwise.training.recipe import Recipe, build
from gapwise.training.shared_layers import share_layers
from gapwise.training.shares import parts, share, total_weight
from gapwise.training.transfer import Transfer
from gapwise.training.weight_average import WeightAverage

EVALUATION_BATCH = 512
EVALUATION_NUMBERS = 2**21
"""Inputs evaluated at once, at most: 512 images of 3×32×32 and 13 of 3×224×224 stay below it."""


class Scored(NamedTuple):
    """Means over some examples, each weighted by its weight."""

    loss: float
    error: float


class Learner:
    """A model in training on a device, under a numeric plan.

    Attributes:
        model: the model that trains.
        plan: the numeric plan that it is under.
        l2, clip_norm: as the recipe has them.
        average: the average of its weights; None where the weights themselves are judged.
    """

    def __init__(self, model: Model, recipe: Recipe, plan: NumericPlan) -> None:
        self.device = torch.device(plan.device)
        self.model = ready(model, plan)
        start_alike(self.model)
        share_layers(self.model)
        self.plan = plan
        self.average: WeightAverage | None = None
        if recipe.weight_average is not None:
            self.average = WeightAverage(self.model, **recipe.weight_average)
        self.use(lambda model: model)
        self.optimizer: Optimizer = build(
            OPTIMIZERS, recipe.optimizer, weight_groups(model, recipe.l2), plan.fused
        )
        self._lr = float(self.optimizer.param_groups[0]["lr"])
        self.l2 = recipe.l2
        self._parts = recipe.accumulate
        self.clip_norm = recipe.clip_norm

    @property
    def judged(self) -> Model:
        """The model that is evaluated and kept for predictions: the average, where there is one."""
        return self.model if self.average is None else self.average.model

    def step(
        self, batch: Batch, factor: float, examples: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Train on one batch at ``factor`` times the optimizer's rate.

        Args:
            batch: what this process trains on.
            factor: of the learning rate.
            examples: how many all processes train on; None where ``batch`` is the whole.

        Returns:
            Mean loss and mean error of the batch before the step, scalars on the device.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr(factor)
        self.optimizer.zero_grad(set_to_none=True)
        whole = added_up(total_weight(batch.weights, len(batch.positions)), self.device)
        lengths = part_lengths(len(batch.positions) if examples is None else examples, self._parts)
        shares = []
        for part, length in zip(parts(batch, len(lengths)), lengths, strict=True):
            with part_of(length):
                shares.append(self._gradient(part, whole))
        loss, error = (sum(values[1:], values[0]) for values in zip(*shares, strict=True))
        loss, error = add_gradients(self.model.parameters(), loss, error)
        self._update()
        return loss, error

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the outputs (n, units) and what training minimises of each example, (n,).

        While it trains, a network with side branches (notes 5.13) adds their weighted losses.
        """
        with autocast(self.plan):
            outputs = self._forward(batch.inputs)
        if not isinstance(outputs, Branched):
            return outputs, self.model.task.training_loss(outputs, batch.targets)
        main, *sides = (
            self.model.task.training_loss(branch, batch.targets)
            for branch in (outputs.main, *outputs.sides)
        )
        return outputs.main, main + outputs.weight * sum(sides)

    def _gradient(self, part: Batch, whole: Tensor | int) -> tuple[Tensor, Tensor]:
        """Add a part's share of the batch's gradient; return its share of loss and error."""
        task = self.model.task
        outputs, losses = self.losses(part)
        loss = share(losses, part.weights, whole)
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            wrong = task.judge(outputs, part.targets).error
            return loss.detach(), share(wrong, part.weights, whole)

    def _update(self) -> None:
        """Follow the gradient that has come together."""
        if self.clip_norm is not None:
            # Stays on the device: a gradient that is not finite shows in the weights afterwards.
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        if self.average is not None:
            self.average.add()

    def use(self, part: Callable[[Model], nn.Module]) -> None:
        """Give batches to ``part`` of the model that trains, and of the one that is judged."""
        self._forward = self._judge = _runnable(part(self.model), self.plan)
        if self.average is not None:
            self._judge = _runnable(part(self.average.model), self.plan)

    def thaw(self, factor: float) -> None:
        """Let all layers train from here on, at ``factor`` times the rate so far.

        The optimizer keeps what it knows of the layers that trained, and knows nothing of others.
        """
        thaw(self.model)
        self.use(lambda model: model)
        known = {w for group in self.optimizer.param_groups for w in group["params"]}
        for group in weight_groups(self.model, self.l2):
            weights = [w for w in group["params"] if w not in known]
            if weights:
                self.optimizer.add_param_group(group | {"params": weights})
        self._lr *= factor

    def lr(self, factor: float) -> float:
        """Return the learning rate at ``factor``."""
        return self._lr * factor

    def evaluate(
        self, feed: Feed, positions: NDArray[np.int64], between: Callable[[], None]
    ) -> Scored:
        """Return mean loss and error of the examples at ``positions``, in evaluation mode.

        ``between`` is called after each batch, and may raise to stop. What the task chooses on dev
        (``Task.calibrate``) is chosen by these examples.
        """
        task = self.judged.task
        sums = [torch.zeros(3, device=self.device)]
        whole: list[tuple[Tensor, Tensor, Tensor]] = []
        with evaluating(self.judged):
            mine = cut_for_this_process(positions)
            for batch in feed.batches(cut(mine, evaluation_batch(self.model))):
                with autocast(self.plan):
                    outputs = self._judge(batch.inputs)
                weights = batch.weights
                if weights is None:
                    weights = torch.ones(len(outputs), device=self.device)
                if task.compares:
                    whole.append((outputs, batch.targets, weights))
                else:
                    sums.append(_totals(task, outputs, batch.targets, weights))
                between()
            if whole:
                outputs, targets, weights = (torch.cat(part) for part in zip(*whole, strict=True))
                task.calibrate(outputs, targets)
                sums.append(_totals(task, outputs, targets, weights))
        total = added(torch.stack(sums).cpu().double().sum(0))
        return Scored(float(total[0] / total[2]), float(total[1] / total[2]))

    def is_finite(self) -> bool:
        """Return whether no weight, of the average neither, is NaN or infinite."""
        return all_finite([*self.model.state_dict().values(), *self.judged.state_dict().values()])

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors that a resume needs.

        ``model.*`` is the judged model, which predictions use; where that is an average, ``live.*``
        is the one that trains. ``optimizer.<i>.*`` is the optimizer's state.
        """
        named = {f"model.{name}": tensor for name, tensor in self.judged.state_dict().items()}
        if self.average is not None:
            live = self.model.state_dict()
            named |= {f"live.{name}": tensor for name, tensor in live.items()}
            named |= self.average.tensors()
        state = self.optimizer.state_dict()["state"]
        for i, entries in state.items():
            for name, value in entries.items():
                if isinstance(value, Tensor):
                    named[f"optimizer.{i}.{name}"] = value
        return named

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what ``tensors()`` gave, into the memory layout that is in use here."""
        judged = dict(under_prefix(tensors, "model."))
        live = dict(under_prefix(tensors, "live.")) or judged
        self.model.load_state_dict(live)
        if self.average is not None:
            self.average.restore(tensors, judged)
        weights = [w for group in self.optimizer.param_groups for w in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in under_prefix(tensors, "optimizer."):
            index, _, entry = name.partition(".")
            state.setdefault(int(index), {})[entry] = laid_out_like(weights[int(index)], value)
        document = self.optimizer.state_dict()
        self.optimizer.load_state_dict(document | {"state": state})


def thaw_if_due(learner: Learner, transfer: Transfer | None, epoch: int) -> None:
    """Let all layers train where they do from ``epoch`` on, or from one before."""
    if transfer is not None and transfer.thaws(epoch) and learner.model.frozen:
        learner.thaw(transfer.unfreeze_lr)


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


def evaluation_batch(model: Model) -> int:
    """Return how many examples are evaluated at once: fewer where one is a large image."""
    return max(1, min(EVALUATION_BATCH, EVALUATION_NUMBERS // prod(model.spec.input_shape)))


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """No gradients, no dropout, batch norm by its running averages (notes 3.16)."""
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train()


def _totals(task: Task, outputs: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return the sums of loss, error and weight over some examples, (3,)."""
    loss, error = task.loss(outputs, targets), task.judge(outputs, targets).error
    return torch.stack([loss * weights, error * weights, weights]).sum(1)


def _runnable(model: nn.Module, plan: NumericPlan) -> nn.Module:
    return cast(nn.Module, torch.compile(model)) if plan.compiled else model
