"""Gradient checking: right gradients pass, a wrong one in any kind of layer is found and named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import register_parametrization

from gapwise.errors import PipelineError, UsageError
from gapwise.networks.base import NETWORKS, Branched, Chain
from gapwise.records import Job
from gapwise.tasks.classify import Classify
from gapwise.training.feeds import Batch
from gapwise.training.gradcheck import FINE, WRONG, GradientCheck, relative_difference
from gapwise.training.gradcheck_network import TrainingCost
from gapwise.training.job import make_learner
from gapwise.training.recipe import read_recipe


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class _Scaled(torch.autograd.Function):
    """The identity, with a gradient that is 1 % too large."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 1.01 * gradient


def scaled(x: Tensor) -> Tensor:
    result: Tensor = _Scaled.apply(x)
    return result


class Wrong(nn.Module):
    """A layer whose output is right and whose gradient to everything before it is not."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return scaled(self.layer(x))


class WrongParameter(nn.Module):
    """A parametrization: the parameter is what it was, its gradient is not."""

    def forward(self, x: Tensor) -> Tensor:
        return scaled(x)


class Residual(nn.Module):
    """Adds its input to what its layers make of it; ``wrong`` spoils the addition."""

    def __init__(self, channels: int, wrong: bool) -> None:
        super().__init__()
        self.main = nn.Conv2d(channels, channels, 3, padding=1)
        self.wrong = wrong

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x) + (scaled(x) if self.wrong else x)


class Excite(nn.Module):
    """Squeeze-and-excite: channels are weighed by what their means say."""

    def __init__(self, channels: int, wrong: bool) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, 2, 1)
        self.excite = nn.Conv2d(2, channels, 1)
        self.wrong = wrong

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.excite(F.silu(self.squeeze(x.mean((2, 3), keepdim=True)))))
        return x * (scaled(gate) if self.wrong else gate)


class Network(Chain):
    """Every kind of layer once, for images 1×8×8; ``wrong`` names the one with a wrong gradient."""

    def __init__(self, wrong: str = "") -> None:
        super().__init__()
        kinds: dict[str, Callable[[], nn.Module]] = {
            "convolution": lambda: nn.Conv2d(1, 4, 3, padding=1),
            "relu": nn.ReLU,
            "depthwise": lambda: nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
            "norm": lambda: nn.BatchNorm2d(4),
            "leaky_relu": lambda: nn.LeakyReLU(0.01),
            "grouped": lambda: nn.Conv2d(4, 4, 3, padding=1, groups=2),
            "relu6": nn.ReLU6,
            "max_pool": lambda: nn.MaxPool2d(2),
            "residual": lambda: Residual(4, wrong == "residual"),
            "silu": nn.SiLU,
            "excite": lambda: Excite(4, wrong == "excite"),
            "average_pool": lambda: nn.AvgPool2d(2),
            "response_norm": lambda: nn.LocalResponseNorm(3),
            "global_pool": lambda: nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten,
            "dense": lambda: nn.Linear(4, 6, bias=False),
            "norm_of_rows": lambda: nn.BatchNorm1d(6),
            "tanh": nn.Tanh,
            "hidden": lambda: nn.Linear(6, 6),
            "sigmoid": nn.Sigmoid,
            "output": lambda: nn.Linear(6, 10),
        }
        for name, make in kinds.items():
            layer = make()
            spoiled = name == wrong and name not in ("residual", "excite")
            self.add_module(name, Wrong(layer) if spoiled else layer)


LAYERS = [name for name, _ in Network().named_children()]


@pytest.fixture
def cost_of(make_job: Callable[..., Job], digits: Any) -> Callable[..., TrainingCost]:
    """Make the cost of a network on 8 of the digits."""

    def make(made: nn.Module | None = None, l2: float = 0.0, **settings: Any) -> TrainingCost:
        job = make_job(l2=l2, **({"network": "multilayer-perceptron"} | settings))
        recipe = read_recipe(job.pipeline, {})
        learner = make_learner(recipe, digits, job)
        if made is not None:
            learner.model.network = made
            learner.optimizer.param_groups.clear()
            learner.optimizer.add_param_group({"params": list(made.parameters())})
        batch = Batch(
            torch.from_numpy(np.array(digits.inputs[:8])),
            torch.from_numpy(digits.targets[:8]),
            torch.linspace(0.5, 2, 8),
            torch.arange(8),
        )
        return TrainingCost(learner, batch, l2)

    return make


def network(wrong: str = "") -> Network:
    torch.manual_seed(3)
    return Network(wrong)


def test_every_kind_of_layer_passes_when_it_is_right(cost_of: Callable[..., TrainingCost]) -> None:
    cost = cost_of(network())
    found = list(cost.check(coordinates=6, seed=0))
    assert len(found) == len(dict(cost.learner.model.network.named_parameters()))
    assert {parameter.verdict for parameter in found} == {"fine"}
    assert np.median([parameter.difference for parameter in found]) < 1e-7
    assert cost.wrong_layers(0) == []


@pytest.mark.parametrize("wrong", LAYERS)
def test_a_wrong_gradient_in_any_layer_is_found_and_named(
    wrong: str, cost_of: Callable[..., TrainingCost]
) -> None:
    cost = cost_of(network(wrong))
    verdicts = {p.name.partition(".")[0]: p.verdict for p in cost.check(coordinates=3, seed=0)}
    place = LAYERS.index(wrong)
    before = {verdicts[name] for name in LAYERS[:place] if name in verdicts}
    after = {verdicts[name] for name in LAYERS[place + 1 :] if name in verdicts}
    # What lies behind the layer never passes through it.
    assert after <= {"fine"}
    if wrong in verdicts or before:
        assert "wrong" in before | {verdicts.get(wrong)}
    (layer,) = cost.wrong_layers(0)
    assert layer.name == wrong


@pytest.mark.parametrize(
    "parameter",
    [name for name, _ in Network().named_parameters()],
)
def test_a_wrong_gradient_of_one_parameter_names_it_alone(
    parameter: str, cost_of: Callable[..., TrainingCost]
) -> None:
    spoiled = network()
    path, _, last = parameter.rpartition(".")
    register_parametrization(spoiled.get_submodule(path), last, WrongParameter())
    found = {p.name: p.verdict for p in cost_of(spoiled).check(coordinates=3, seed=0)}
    (wrong,) = [name for name, verdict in found.items() if verdict != "fine"]
    assert wrong == f"{path}.parametrizations.{last}.original"
    assert found[wrong] == "wrong"


def test_a_wrong_loss_is_named(
    cost_of: Callable[..., TrainingCost], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(self: Classify, outputs: Tensor, targets: Tensor) -> Tensor:
        return scaled(F.cross_entropy(outputs, targets, reduction="none"))

    monkeypatch.setattr(Classify, "training_loss", wrong)
    cost = cost_of()
    assert {found.verdict for found in cost.check(coordinates=3, seed=0)} == {"wrong"}
    (layer,) = cost.wrong_layers(0)
    assert (layer.name, layer.kind, layer.of) == ("loss", "Classify", "outputs")


def test_a_gradient_that_is_no_number_is_wrong(cost_of: Callable[..., TrainingCost]) -> None:
    value = torch.ones(2, dtype=torch.float64)
    check = GradientCheck(lambda: value.square().sum(), coordinates=None, seed=0)
    found = check.parameter("x", value, torch.tensor([2.0, torch.nan], dtype=torch.float64))
    assert found.verdict == "wrong"


class TestL2:
    def test_the_optimizer_adds_the_gradient_of_the_cost(
        self, cost_of: Callable[..., TrainingCost]
    ) -> None:
        cost = cost_of(l2=0.3)
        assert {found.verdict for found in cost.check(coordinates=5, seed=0)} == {"fine"}

    def test_an_optimizer_that_forgets_it_is_found(
        self, cost_of: Callable[..., TrainingCost]
    ) -> None:
        cost = cost_of(l2=0.3)
        for group in cost.learner.optimizer.param_groups:
            group["weight_decay"] = 0.0
        verdicts = {p.name: p.verdict for p in cost.check(coordinates=5, seed=0)}
        assert {n for n, v in verdicts.items() if v == "wrong"} == {
            name for name in verdicts if name.endswith("weight")
        }

    def test_one_that_shrinks_biases_too_is_found(
        self, cost_of: Callable[..., TrainingCost]
    ) -> None:
        cost = cost_of(l2=0.3)
        for group in cost.learner.optimizer.param_groups:
            group["weight_decay"] = 0.3
        verdicts = {p.name: p.verdict for p in cost.check(coordinates=5, seed=0)}
        assert {n for n, v in verdicts.items() if v == "wrong"} == {
            name for name in verdicts if name.endswith("bias")
        }


class TestKinks:
    def test_a_coordinate_on_a_kink_is_left_out_and_counted(self) -> None:
        value = torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64)
        check = GradientCheck(lambda: F.relu(value).sum(), coordinates=None, seed=0)
        found = check.parameter("x", value, torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64))
        assert (found.checked, found.kinks, found.verdict) == (2, 1, "fine")

    @pytest.mark.parametrize("share", [0.02, 0.2, 1 / 3, 0.5, 0.7, 0.95])
    def test_one_near_a_kink_is_compared_by_a_shorter_step(self, share: float) -> None:
        value = torch.tensor([share * 1e-6], dtype=torch.float64)
        check = GradientCheck(lambda: F.relu(value).sum(), coordinates=None, seed=0)
        found = check.parameter("x", value, torch.ones(1, dtype=torch.float64))
        assert found.verdict == ("unchecked" if share < 0.1 else "fine")

    def test_a_wrong_gradient_beside_kinks_is_still_wrong(self) -> None:
        value = torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64)
        check = GradientCheck(lambda: F.relu(value).square().sum(), coordinates=None, seed=0)
        found = check.parameter("x", value, torch.tensor([0.0, 2.1, 4.0], dtype=torch.float64))
        assert found.verdict == "wrong"

    def test_where_there_is_nothing_but_kinks_nothing_is_claimed(self) -> None:
        value = torch.zeros(4, dtype=torch.float64)
        check = GradientCheck(lambda: F.relu(value).sum(), coordinates=2, seed=0)
        found = check.parameter("x", value, torch.zeros(4, dtype=torch.float64))
        assert (found.checked, found.verdict) == (0, "unchecked")


def test_a_gradient_of_zero_is_fine_though_differences_round() -> None:
    """The bias before a batch norm, which the norm takes out again."""
    torch.manual_seed(0)
    bias = torch.zeros(1, dtype=torch.float64)
    x, y = torch.randn(2, 16, dtype=torch.float64)

    def cost() -> Tensor:
        z = x + bias
        return (((z - z.mean()) / z.std() - y) ** 2).mean()

    found = GradientCheck(cost, coordinates=None, seed=0).parameter("b", bias, torch.zeros(1))
    assert found.verdict == "fine"


def test_the_relative_difference_is_the_notes() -> None:
    a, b = np.array([3.0, 4.0]), np.array([3.0, 3.0])
    assert relative_difference(a, b) == pytest.approx(1 / (5 + 18**0.5))
    assert relative_difference(a * 0, b * 0) == 0
    assert FINE < 1e-5 < WRONG < 1e-3


def test_the_parameters_end_as_they_began(cost_of: Callable[..., TrainingCost]) -> None:
    cost = cost_of()
    before = {name: value.clone() for name, value in cost.parameters().items()}
    list(cost.check(coordinates=5, seed=0))
    assert all(torch.equal(before[name], value) for name, value in cost.parameters().items())


def test_dropout_is_refused_with_the_mend(cost_of: Callable[..., TrainingCost]) -> None:
    with pytest.raises(UsageError, match=r"at random.*network\.dropout=0"):
        cost_of(network={"name": "multilayer-perceptron", "dropout": 0.2})


def test_so_are_blocks_that_are_dropped_as_a_whole(cost_of: Callable[..., TrainingCost]) -> None:
    dropping = {"name": "efficientnet", "size": "small", "dropout": 0.0, "stochastic_depth": 0.2}
    with pytest.raises(UsageError, match=r"at random.*network\.stochastic_depth=0"):
        cost_of(network=dropping)


class Noisy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1e-9 * torch.randn_like(x)


class Broken(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x / 0


@pytest.mark.parametrize(("layer", "says"), [(Noisy(), "random"), (Broken(), "no slope")])
def test_a_cost_without_slopes_is_refused(
    layer: nn.Module, says: str, cost_of: Callable[..., TrainingCost]
) -> None:
    with pytest.raises(UsageError, match=says):
        cost_of(nn.Sequential(nn.Flatten(), nn.Linear(64, 10), layer))


SHAPES = [(1, 8, 8), (1, 16, 16), (3, 32, 32), (14,), (70,), (4, 6), (1, 10, 10, 10)]


SMALLER = {"size": "small", "base": 4}


def small(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Return the smallest form of a registered network that has no dropout."""
    options = NETWORKS.options(name).keys()
    choice = {key: value for key, value in SMALLER.items() if key in options}
    choice |= {option: 0.0 for option in options if "drop" in option or "stochastic" in option}
    for shape in SHAPES:
        try:
            return NETWORKS.get(name)(input_shape=shape, outputs=3, **choice), shape
        except PipelineError:
            continue
    pytest.fail(f"no shape fits {name}")


@pytest.mark.parametrize("name", NETWORKS.names())
def test_every_registered_network_passes(name: str) -> None:
    torch.manual_seed(0)
    made, shape = small(name)
    made = made.double()
    with torch.no_grad():
        for weight in made.parameters():
            if bool((weight == weight.flatten()[0]).all()):
                weight.add_(0.1 * torch.randn_like(weight))
    x, y = torch.randn(4, *shape, dtype=torch.float64), torch.tensor([0, 1, 2, 0])

    def cost() -> Tensor:
        outputs = made(x)
        if isinstance(outputs, Branched):
            sides = sum(F.cross_entropy(side, y) for side in outputs.sides)
            return F.cross_entropy(outputs.main, y) + outputs.weight * sides
        # Of a map, the mean of each unit over its places.
        return F.cross_entropy(outputs.flatten(2).mean(2) if outputs.ndim > 2 else outputs, y)

    named = dict(made.named_parameters())
    gradients = torch.autograd.grad(cost(), list(named.values()))
    check = GradientCheck(cost, coordinates=2, seed=0)
    # Of a deep network, every few layers: a gradient passes through all that follow.
    chosen = list(zip(named.items(), gradients, strict=True))
    verdicts = [
        check.parameter(key, value, gradient).verdict
        for (key, value), gradient in chosen[:: max(1, len(chosen) // 8)]
    ]
    # Where many units are pooled, all places that were tried may have kinks.
    assert set(verdicts) <= {"fine", "unchecked"}
    assert verdicts.count("fine") > len(verdicts) / 2
