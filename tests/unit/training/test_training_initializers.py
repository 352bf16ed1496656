"""First weights (notes 1.7.2 and 3.6): where they come from, and what zeros show."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError
from gapwise.records import Job
from gapwise.training.initializers.base import INITIALIZERS, initialize
from gapwise.training.job import make_learner, run_job
from gapwise.training.predict import load_network
from gapwise.training.recipe import build, read_recipe

Make = Callable[..., Job]
MLP = {"name": "multilayer-perceptron", "hidden": [12, 8]}


def first_weights(job: Job, prepared: Prepared) -> dict[str, Tensor]:
    learner = make_learner(read_recipe(job.pipeline, job.parameters), prepared, job)
    return {name: w.detach() for name, w in learner.model.network.named_parameters()}


def matrices(weights: dict[str, Tensor]) -> list[Tensor]:
    return [w for w in weights.values() if w.ndim > 1]


def test_without_an_initializer_the_network_draws_its_own(make_job: Make, digits: Prepared) -> None:
    """He's variance in the built-in networks, since they use ReLU."""
    own = first_weights(make_job(network=MLP), digits)
    he = first_weights(make_job(network=MLP, initializer="he"), digits)
    assert not any(torch.equal(a, b) for a, b in zip(matrices(own), matrices(he), strict=True))
    for ours, theirs in zip(matrices(own), matrices(he), strict=True):
        assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.35)


def test_first_weights_are_a_function_of_the_seed(make_job: Make, digits: Prepared) -> None:
    settings: dict[str, Any] = {"network": MLP, "initializer": {"name": "xavier", "mode": "both"}}
    first, again = (first_weights(make_job(**settings), digits) for _ in range(2))
    other = first_weights(make_job(**settings, seed=8), digits)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(matrices(first)[0], matrices(other)[0])


def units_of(job: Job) -> Tensor:
    """Return the weights of the first layer's units after training, (units, inputs)."""
    run_job(job)
    return next(w.detach() for w in load_network(Path(job.folder)).parameters() if w.ndim > 1)


def test_zeros_never_break_symmetry_and_random_weights_do(make_job: Make) -> None:
    """With equal weights all units of a layer compute one feature, whatever is trained (1.7.2)."""
    quick = {"network": MLP | {"activation": "sigmoid"}, "epochs": 2, "augmentation": {}}
    same = units_of(make_job("zeros", initializer="zeros", **quick))
    different = units_of(make_job("random", initializer="small-random", **quick))
    assert same.any()
    assert torch.equal(same, same[:1].expand_as(same))
    distances = torch.pdist(different)
    assert distances.min() > 0.1 * distances.mean()


@pytest.mark.parametrize(
    ("name", "activation", "kept"),
    [
        ("he", nn.ReLU, True),
        ("xavier", nn.Tanh, True),
        ("small-random", nn.ReLU, False),
        ("small-random", nn.Tanh, False),
    ],
)
def test_twenty_layers_keep_the_size_of_the_signal(
    name: str, activation: type[nn.Module], kept: bool
) -> None:
    """What the variances are for: signals neither vanish nor explode in a deep network (3.6)."""
    torch.manual_seed(0)
    layers = [layer for _ in range(20) for layer in (nn.Linear(256, 256), activation())]
    network = nn.Sequential(*layers)
    initialize(network, build(INITIALIZERS, {"name": name}))
    x = torch.randn(200, 256)
    with torch.no_grad():
        share = (network(x).square().mean() / x.square().mean()).item()
    assert (0.02 < share < 10) if kept else share < 1e-20


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("hee", r"initializer 'hee' is not known; did you mean he"),
        ({"name": "small-random", "deviation": -1}, "deviation is -1, but must be at least 0"),
        ({"name": "xavier", "node": "in"}, "has no option 'node'; did you mean mode"),
    ],
)
def test_a_wrong_initializer_is_named(
    make_job: Make, digits: Prepared, part: Any, says: str
) -> None:
    with pytest.raises(PipelineError, match=says):
        first_weights(make_job(initializer=part), digits)
