"""Models of one shape whose steps are taken together: their weights are the rows of one matrix.

Each model keeps parameters of its own, which are views into its row, and so is judged, saved and
restored as if it were alone. A step is one forward and one backward pass for all rows
(``torch.func``), and one update with rates, averages, L2 and dropout of each model's own. What
comes of it is what each would have become alone, up to the order of sums.
"""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn import functional as F

from gapwise.networks.base import Chain, layers
from gapwise.training.draws import seed_generators
from gapwise.training.feeds import Batch
from gapwise.training.learner import Learner, weight_groups
from gapwise.training.model import Model
from gapwise.training.recipe import Recipe
from gapwise.training.shares import share, total_weight
from gapwise.training.stacked_rules import rule_of
from gapwise.training.steps import Wanted

LAYERS: tuple[type[nn.Module], ...] = (
    *(nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.Dropout),
    *(nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.Identity, nn.Flatten),
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
)
"""Layers whose weights can be stacked."""

TINY = 1e-6
"""What torch adds to a gradient's norm before it clips."""


def is_stackable(learner: Learner, recipe: Recipe) -> bool:
    """Return whether steps of such a training can be taken together with others of its shape."""
    network, task, plan = learner.model.network, learner.model.task, learner.plan
    is_known = (
        isinstance(network, Chain)
        and not network.aside
        and all(type(layer) in LAYERS for _, layer in layers(network))
        and task.wants == "row"
        and not task.compares
        and task.learned is None
        and rule_of(learner.optimizer) is not None
    )
    is_plain = (
        recipe.transfer is None
        and recipe.weight_average is None
        and recipe.accumulate == 1
        and (plan.dtype, plan.processes) == ("float32", 1)
        and not (plan.channels_last or plan.compiled)
    )
    return is_known and is_plain


class Stack:
    """Some learners, stepped together from here on."""

    def __init__(self, learners: Sequence[Learner]) -> None:
        """Take over the weights of ``learners``, which are stackable and of one shape."""
        rule = rule_of(learners[0].optimizer)
        assert rule is not None
        self._learners, self._rule = learners, rule
        models = [learner.model for learner in learners]
        self._dropout = Dropout(models)
        self._weights, self._named = _stacked_weights(models)
        self._buffers = _stacked_buffers(models)
        self._memory = self._remembered()
        groups = [learner.optimizer.param_groups[0] for learner in learners]
        knobs = [rule.knobs(group) for group in groups]
        self._knobs = {name: self._column(one[name] for one in knobs) for name in knobs[0]}
        self._l2 = self._column(one.l2 for one in learners) * _shrinking(models[0]).to(
            self._weights
        )
        norms = [learner.clip_norm for learner in learners]
        self._norms = self._column(float("inf") if norm is None else norm for norm in norms)
        self._clips = any(norm is not None for norm in norms)

    def step(self, wanted: Sequence[Wanted]) -> tuple[Tensor, Tensor]:
        """Take the step that each model wants, all on the first one's batch.

        Returns:
            Mean loss and mean error of the batch before the step, both (models,).
        """
        batch = wanted[0].batch
        masks = self._dropout.draw(batch, wanted[0].seed)
        whole = total_weight(batch.weights, len(batch.positions))

        def loss_of(
            weights: Mapping[str, Tensor],
            buffers: Mapping[str, Tensor],
            masks: Mapping[str, Tensor],
        ) -> tuple[Tensor, Tensor]:
            task = self._learners[0].model.task
            state = {**weights, **buffers, **masks}
            outputs = functional_call(self._dropout.model, state, (batch.inputs,))
            losses = task.training_loss(outputs, batch.targets)
            wrong = task.judge(outputs.detach(), batch.targets).error
            return share(losses, batch.weights, whole), share(wrong, batch.weights, whole)

        gradients, (losses, errors) = vmap(grad_and_value(loss_of, has_aux=True))(
            self._named, self._buffers, masks
        )
        rates = [one.lr(step.factor) for one, step in zip(self._learners, wanted, strict=True)]
        flat = torch.cat([gradients[name].flatten(1) for name in self._named], 1)
        self._follow(flat, self._column(rates))
        return losses, errors

    def _follow(self, gradient: Tensor, rates: Tensor) -> None:
        if self._clips:
            norm = gradient.norm(dim=1, keepdim=True)
            gradient = gradient * (self._norms / (norm + TINY)).clamp(max=1)
        gradient = gradient.addcmul_(self._l2, self._weights)
        self._rule.follow(self._weights, gradient, self._memory, {**self._knobs, "lr": rates})

    def _column(self, values: Iterable[float]) -> Tensor:
        return torch.tensor(list(values), device=self._weights.device)[:, None]

    def _remembered(self) -> dict[str, Tensor]:
        """Return what the optimizers remember as matrices, of which theirs become views."""
        found = {name: torch.zeros_like(self._weights) for name in self._rule.memory}
        for row, learner in enumerate(self._learners):
            for weight, (start, end) in _places(learner.model):
                state = learner.optimizer.state[weight]
                for name, matrix in found.items():
                    mine = matrix[row, start:end].view(weight.shape)
                    if isinstance(state.get(name), Tensor):
                        mine.copy_(state[name])
                    state[name] = mine
        return found | (self._counted() if self._rule.counts else {})

    def _counted(self) -> dict[str, Tensor]:
        """Return the steps taken, (models, tensors), of which the optimizers' become views."""
        counts = []
        for learner in self._learners:
            weights = [weight for weight, _ in _places(learner.model)]
            states = [learner.optimizer.state[weight] for weight in weights]
            counts.append([float(state.get("step", 0.0)) for state in states])
        matrix = torch.tensor(counts, device=self._weights.device)
        for row, learner in enumerate(self._learners):
            for at, (weight, _) in enumerate(_places(learner.model)):
                learner.optimizer.state[weight]["step"] = matrix[row, at]
        return {"step": matrix}


class Dropout:
    """What each model of a stack switches off, drawn as each would draw it alone (notes 3.4.2).

    Attributes:
        model: what stands for each model of the stack: its dropout layers multiply by ``mask``.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self._rates = [_dropout_rates(model) for model in models]
        # A layer whose rate is 0 may be left out of a network.
        fullest = max(range(len(models)), key=lambda at: len(self._rates[at]))
        self.model = copy.deepcopy(models[fullest])
        self._names = list(self._rates[fullest])
        self._shapes: dict[str, torch.Size] = {}
        for name in self._names:
            self.model.set_submodule(name, _Masked())

    def draw(self, batch: Batch, seed: int) -> dict[str, Tensor]:
        """Return the factor of every unit: (models, n, …) by the name of its layer's ``mask``."""
        if not any(rate for rates in self._rates for rate in rates.values()):
            return {}
        if not self._shapes:
            self._look(batch.inputs)
        n, device = len(batch.positions), batch.inputs.device
        drawn: dict[str, list[Tensor]] = {name: [] for name in self._shapes}
        for rates in self._rates:
            seed_generators(seed, device)
            for name, shape in self._shapes.items():
                ones = torch.ones((n, *shape), device=device)
                drawn[name].append(F.dropout(ones, rates.get(name, 0.0)))
        return {f"{name}.mask": torch.stack(masks) for name, masks in drawn.items()}

    def _look(self, inputs: Tensor) -> None:
        """Find what comes to each layer, and in which order: the draws follow it."""
        looked_at = copy.deepcopy(self.model)
        for name in self._names:
            looked_at.get_submodule(name).register_forward_pre_hook(self._note(name))
        with torch.no_grad():
            looked_at(inputs)

    def _note(self, name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            self._shapes[name] = inputs[0].shape[1:]

        return note


class _Masked(nn.Module):
    """Stands for a dropout layer whose draws are made elsewhere."""

    mask: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mask", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return x: (n, …) times the mask."""
        return x * self.mask


def _dropout_rates(model: Model) -> dict[str, float]:
    return {name: one.p for name, one in model.named_modules() if isinstance(one, nn.Dropout)}


def _places(model: Model) -> list[tuple[nn.Parameter, tuple[int, int]]]:
    """Return each parameter with where its weights lie in a row."""
    places, start = [], 0
    for weight in model.parameters():
        places.append((weight, (start, start + weight.numel())))
        start += weight.numel()
    return places


def _stacked_weights(models: Sequence[Model]) -> tuple[Tensor, dict[str, Tensor]]:
    """Return all weights as rows, and by name as views, (models, …); the models' become views."""
    rows = [torch.cat([w.detach().flatten() for w in model.parameters()]) for model in models]
    matrix = torch.stack(rows)
    for row, model in zip(matrix, models, strict=True):
        for weight, (start, end) in _places(model):
            weight.data = row[start:end].view(weight.shape)
    names = [name for name, _ in models[0].named_parameters()]
    named = {
        name: matrix[:, start:end].view(len(models), *weight.shape)
        for name, (weight, (start, end)) in zip(names, _places(models[0]), strict=True)
    }
    return matrix, named


def _stacked_buffers(models: Sequence[Model]) -> dict[str, Tensor]:
    """Return the averages of batch norms by name, (models, …); the models' become views."""
    found = {}
    for name, module in models[0].named_modules():
        if not isinstance(module, nn.modules.batchnorm._BatchNorm):
            continue
        for key in dict(module.named_buffers(recurse=False)):
            holders = [model.get_submodule(name) for model in models]
            matrix = torch.stack([getattr(holder, key) for holder in holders])
            for row, holder in zip(matrix, holders, strict=True):
                setattr(holder, key, row)
            found[f"{name}.{key}"] = matrix
    return found


def _shrinking(model: Model) -> Tensor:
    """Return 1 where L2 acts on a weight, else 0, (weights,)."""
    groups = weight_groups(model, 1.0)
    acted_on = {weight for group in groups if group["weight_decay"] for weight in group["params"]}
    return torch.cat(
        [torch.full((weight.numel(),), float(weight in acted_on)) for weight in model.parameters()]
    )
