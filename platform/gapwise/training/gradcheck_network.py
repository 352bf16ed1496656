"""Gradient checking of a whole training cost, and of each layer alone where that fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from gapwise.errors import UsageError
from gapwise.networks.base import NETWORKS, Chain
from gapwise.training.draws import key
from gapwise.training.feeds import Batch
from gapwise.training.gradcheck import CheckedParameter, GradientCheck
from gapwise.training.learner import Learner
from gapwise.training.model import Model
from gapwise.training.shares import mean

SPREAD = 0.1
"""Deviation of what is added to parameters that are constant, such as biases of 0."""

LAYER_COORDINATES = 16


@dataclass(frozen=True, kw_only=True)
class CheckedLayer:
    """A layer whose own gradient is wrong.

    Attributes:
        name: the layer in the network; ``loss`` for the task's loss.
        kind: its class.
        of: what its gradient is wrong by: ``input``, or a parameter.
        difference: as of ``CheckedParameter``.
    """

    name: str
    kind: str
    of: str
    difference: float


class TrainingCost:
    """The cost of one batch in float64, as training minimises it, L2 included (notes 3.4.1).

    Args:
        learner: its model is moved to float64, and its constant parameters away from where the
            training begins: at biases of 0, ReLU has its kink, and behind a gamma of 0 no gradient
            is seen.
        batch: real examples.
        l2: λ of the cost; what the optimizer adds to the gradient is read from the optimizer.

    Raises:
        UsageError: the cost is random, as dropout is on, or no number.
    """

    def __init__(self, learner: Learner, batch: Batch, l2: float) -> None:
        self.learner = learner
        self.batch = batch
        self._l2 = l2
        learner.model.double()
        refuse_dropout(learner.model)
        _spread_constants(learner.model)
        self._refuse_unsteady()

    def __call__(self) -> Tensor:
        """Return the mean loss plus λ/2 · ‖w‖² of the weights of dense and convolutional layers."""
        _, losses = self.learner.losses(self.batch)
        total = mean(losses, self.batch.weights)
        if self._l2:
            total = total + self._l2 / 2 * sum(w.square().sum() for w in _weights(self.learner))
        return total

    def _refuse_unsteady(self) -> None:
        with torch.no_grad():
            first, second = float(self()), float(self())
        if not isfinite(first):
            raise UsageError(
                f"the cost of the batch is {first}, which has no slope; look at its examples and "
                "at training.initializer"
            )
        if first != second:
            raise UsageError(
                f"the cost of one batch is {first:.15g} once and {second:.15g} then, so that its "
                "differences say nothing of the gradient (notes 3.7); switch off what is random in "
                "the network"
            )

    def gradients(self) -> dict[str, Tensor]:
        """Return what an optimizer steps by: backpropagation, and λ·w as the optimizer adds it."""
        parameters = self.parameters()
        _, losses = self.learner.losses(self.batch)
        loss = mean(losses, self.batch.weights)
        found = torch.autograd.grad(loss, list(parameters.values()), materialize_grads=True)
        decays = {
            id(parameter): group.get("weight_decay", 0.0)
            for group in self.learner.optimizer.param_groups
            for parameter in group["params"]
        }
        return {
            name: gradient + decays[id(parameter)] * parameter.detach()
            for (name, parameter), gradient in zip(parameters.items(), found, strict=True)
        }

    def parameters(self) -> dict[str, nn.Parameter]:
        """Return the parameters that are trained, by name."""
        named = self.learner.model.network.named_parameters()
        return {name: parameter for name, parameter in named if parameter.requires_grad}

    def check(self, *, coordinates: int | None, seed: int) -> Iterator[CheckedParameter]:
        """Give the comparison of each parameter in turn.

        Args:
            coordinates: how many of each parameter are compared; None compares all.
            seed: decides which.
        """
        gradients = self.gradients()
        check = GradientCheck(self, coordinates=coordinates, seed=seed)
        for name, parameter in self.parameters().items():
            yield check.parameter(name, parameter, gradients[name])

    def wrong_layers(self, seed: int) -> list[CheckedLayer]:
        """Return the innermost layers whose gradient is wrong when they are checked alone."""
        inputs = self._inputs()
        network = self.learner.model.network
        wrong = {
            name: found
            for name, layer in network.named_modules()
            if name in inputs and (found := _check_layer(name, layer, inputs[name], seed))
        }
        innermost = [
            layer
            for name, layer in wrong.items()
            if not any(other.startswith(f"{name}.") for other in wrong)
        ]
        return [*innermost, *self._wrong_loss(seed)]

    def _inputs(self) -> dict[str, Tensor]:
        """Return what each layer gets, of those that take one tensor and are no mere containers."""
        seen: dict[str, Tensor] = {}
        handles = []
        for name, layer in self.learner.model.network.named_modules():
            if name and not isinstance(layer, nn.Sequential | Chain):

                def keep(_: nn.Module, given: tuple[Tensor, ...], name: str = name) -> None:
                    if len(given) == 1:
                        seen[name] = given[0].detach().clone()

                handles.append(layer.register_forward_pre_hook(keep))
        with torch.no_grad():
            self.learner.losses(self.batch)
        for handle in handles:
            handle.remove()
        return seen

    def _wrong_loss(self, seed: int) -> list[CheckedLayer]:
        task, batch = self.learner.model.task, self.batch
        outputs = self.learner.losses(batch)[0].detach().requires_grad_()

        def cost() -> Tensor:
            return mean(task.training_loss(outputs, batch.targets), batch.weights)

        (gradient,) = torch.autograd.grad(cost(), outputs)
        found = GradientCheck(cost, coordinates=LAYER_COORDINATES, seed=seed).parameter(
            "outputs", outputs, gradient
        )
        if found.verdict != "wrong":
            return []
        kind = type(task).__name__
        return [CheckedLayer(name="loss", kind=kind, of="outputs", difference=found.difference)]


def refuse_dropout(model: Model) -> None:
    """Refuse a model that draws while it trains.

    Raises:
        UsageError: names the layer and how to switch it off.
    """
    for name, layer in model.network.named_modules():
        if isinstance(layer, _DropoutNd) and layer.p > 0:
            raise UsageError(
                f"layer {name} drops a share of {layer.p:g} at random, so that the cost differs at "
                "every call and its differences say nothing of the gradient (notes 3.7); switch "
                f"every dropout of the network off, as by {_switches(model)}"
            )


def _switches(model: Model) -> str:
    options = NETWORKS.options(model.spec.network["name"])
    dropping = [name for name in options if "dropout" in name or name == "stochastic_depth"]
    return " ".join(f"network.{name}=0" for name in dropping)


def _spread_constants(model: nn.Module) -> None:
    draws = torch.Generator().manual_seed(key("gradcheck", "spread"))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() and bool((parameter == parameter.view(-1)[0]).all()):
                noise = torch.randn(parameter.shape, generator=draws, dtype=parameter.dtype)
                parameter.add_(SPREAD * noise)


def _weights(learner: Learner) -> Iterator[Tensor]:
    for layer in learner.model.network.modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            yield layer.weight


def _check_layer(name: str, layer: nn.Module, given: Tensor, seed: int) -> CheckedLayer | None:
    """Check a layer's gradients by its input and its parameters, under drawn weights of outputs."""
    given.requires_grad_()
    draws = torch.Generator().manual_seed(key("gradcheck", seed, name))
    with torch.no_grad():
        outputs = layer(given.clone())
    if not isinstance(outputs, Tensor):
        return None
    weights = torch.randn(outputs.shape, generator=draws, dtype=outputs.dtype)
    weights /= max(outputs.numel(), 1) ** 0.5

    def cost() -> Tensor:
        # A clone: a layer that works in place must not change what it is given.
        total: Tensor = (layer(given.clone()) * weights).sum()
        return total

    by = {"input": given} | {n: p for n, p in layer.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(cost(), list(by.values()), materialize_grads=True)
    check = GradientCheck(cost, coordinates=LAYER_COORDINATES, seed=seed)
    for (of, value), gradient in zip(by.items(), gradients, strict=True):
        found = check.parameter(of, value, gradient)
        if found.verdict == "wrong":
            kind = type(layer).__name__
            return CheckedLayer(name=name, kind=kind, of=of, difference=found.difference)
    return None
