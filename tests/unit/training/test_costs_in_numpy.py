"""The notes' costs and gradients, written out in numpy, equal what autograd makes of our parts."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gapwise.labels import Labels, one_class
from gapwise.networks.base import NETWORKS
from gapwise.tasks.base import TASKS, Task
from gapwise.training.learner import weight_groups

Array = NDArray[np.float64]
Gradients = dict[str, Array]

M, INPUTS, HIDDEN, CLASSES = 7, 5, (4, 3), ("a", "b", "c")


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


# g and g′ of the hidden layers (notes 2.3).
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "leaky-relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
}


def made(activation: str) -> nn.Module:
    torch.manual_seed(0)
    network = NETWORKS.get("multilayer-perceptron")(
        input_shape=(INPUTS,), outputs=len(CLASSES), hidden=HIDDEN, activation=activation
    )
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    return network.double()


def layers(network: nn.Module) -> list[nn.Linear]:
    return [module for module in network.modules() if isinstance(module, nn.Linear)]


def by_hand(
    network: nn.Module, x: Array, y: Array, activation: str, output: Callable[[Array], Array]
) -> tuple[Array, Gradients]:
    """Return Ŷ (classes, m) and the gradients by the four equations of notes 2.6.

    Columns are examples, as in the notes; dZ of the last layer is Ŷ − Y for sigmoid outputs with
    the cost of 1.5 and for softmax with that of 3.17.
    """
    g, slope = ACTIVATIONS[activation]
    weights = [layer.weight.detach().numpy() for layer in layers(network)]
    biases = [layer.bias.detach().numpy()[:, None] for layer in layers(network)]
    activations, before = [x], []
    for place, (w, b) in enumerate(zip(weights, biases, strict=True)):
        before.append(w @ activations[-1] + b)
        last = place == len(weights) - 1
        activations.append(output(before[-1]) if last else g(before[-1]))
    gradients: Gradients = {}
    dz = activations[-1] - y
    for place in reversed(range(len(weights))):
        gradients[f"W{place}"] = dz @ activations[place].T / M
        gradients[f"b{place}"] = dz.sum(axis=1) / M
        if place:
            dz = (weights[place].T @ dz) * slope(before[place - 1])
    return activations[-1], gradients


def by_autograd(network: nn.Module, cost: Tensor) -> Gradients:
    cost.backward()
    found: Gradients = {}
    for place, layer in enumerate(layers(network)):
        assert layer.weight.grad is not None
        assert layer.bias.grad is not None
        found[f"W{place}"] = layer.weight.grad.numpy()
        found[f"b{place}"] = layer.bias.grad.numpy()
    return found


def task(name: str, labels: Labels) -> Task:
    made: Task = TASKS.get(name)()
    made.use(labels, {})
    return made


def assert_equal(found: Gradients, expected: Gradients) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.fixture
def x() -> Array:
    return np.random.default_rng(1).normal(size=(INPUTS, M))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_softmax_regression_3_17(activation: str, x: Array) -> None:
    network = made(activation)
    targets = np.arange(M) % 3
    y = np.eye(3)[targets].T
    said, expected = by_hand(network, x, y, activation, softmax)
    losses = task("classify", one_class(CLASSES)).training_loss(
        network(torch.tensor(x.T)), torch.tensor(targets)
    )
    np.testing.assert_allclose(losses.detach().numpy(), -(y * np.log(said)).sum(axis=0))
    assert_equal(by_autograd(network, losses.mean()), expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_independent_sigmoids_1_5_and_1_6(activation: str, x: Array) -> None:
    network = made(activation)
    answers = np.random.default_rng(2).integers(0, 2, size=(M, 3))
    labels = Labels(kind="several", names=CLASSES, classes=(("no", "yes"),) * 3)
    said, expected = by_hand(network, x, answers.T.astype(float), activation, sigmoid)
    losses = task("multi-label", labels).training_loss(
        network(torch.tensor(x.T)), torch.tensor(answers)
    )
    y = answers.T
    cost = -(y * np.log(said) + (1 - y) * np.log(1 - said)).sum() / M
    assert losses.mean().item() == pytest.approx(cost, rel=1e-12)
    assert_equal(by_autograd(network, losses.mean()), expected)


def test_logistic_regression_2_6(x: Array) -> None:
    """One unit, one layer: dz = ŷ − y."""
    network = NETWORKS.get("logistic-regression")(input_shape=(INPUTS,), outputs=1).double()
    y = np.array([0, 1, 1, 0, 1, 0, 1])
    (layer,) = layers(network)
    said = sigmoid(layer.weight.detach().numpy() @ x + layer.bias.detach().numpy()[:, None])
    labels = Labels(kind="several", names=("y",), classes=(("no", "yes"),))
    loss = task("multi-label", labels).training_loss(
        network(torch.tensor(x.T)), torch.tensor(y[:, None])
    )
    expected = {"W0": (said - y) @ x.T / M, "b0": (said - y).sum(axis=1) / M}
    assert_equal(by_autograd(network, loss.mean()), expected)


def test_the_l2_penalty_is_lambda_over_2m_on_weights_alone_3_4() -> None:
    """Our ``l2`` is the notes' λ/m: the optimizer adds (λ/m)·W to dW, and nothing to db."""
    lambda_, network = 0.7, made("tanh")
    weights = [layer.weight for layer in layers(network)]
    penalty = lambda_ / (2 * M) * sum(w.square().sum() for w in weights)
    by_cost = torch.autograd.grad(penalty, weights)
    decays = {
        id(parameter): group["weight_decay"]
        for group in weight_groups(network, lambda_ / M)
        for parameter in group["params"]
    }
    for layer, gradient in zip(layers(network), by_cost, strict=True):
        frobenius = decays[id(layer.weight)] * layer.weight.detach()
        torch.testing.assert_close(frobenius, gradient)
        assert decays[id(layer.bias)] == 0


def test_inverted_dropout_keeps_the_mean_3_4_2() -> None:
    """The notes' listing draws ``randn``; the share that is kept asks for a uniform draw."""
    torch.manual_seed(0)
    keep_prob, a = 0.8, torch.ones(200_000)
    dropped = nn.Dropout(1 - keep_prob)(a)
    assert dropped.unique().tolist() == [0.0, pytest.approx(1 / keep_prob)]
    assert dropped.mean().item() == pytest.approx(1, abs=4 * 0.5 / 200_000**0.5)
    mask = np.random.default_rng(0).random(200_000) < keep_prob
    assert (mask / keep_prob).mean() == pytest.approx(1, abs=4 * 0.5 / 200_000**0.5)
    wrong = np.random.default_rng(0).standard_normal(200_000) < keep_prob
    assert abs((wrong / keep_prob).mean() - 1) > 0.01


def test_batch_norm_3_15_and_at_test_time_3_16() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(3).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    gamma, beta = norm.weight.detach().numpy(), norm.bias.detach().numpy()
    mean, variance = np.zeros(3), np.ones(3)
    for batch in torch.randn(4, 16, 3, dtype=torch.float64) * 2 + 5:
        z = batch.numpy()
        normalised = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + norm.eps)
        np.testing.assert_allclose(norm(batch).detach().numpy(), gamma * normalised + beta)
        # torch weighs the newest batch by 0.1, and its variance is that of a sample.
        mean = 0.9 * mean + 0.1 * z.mean(axis=0)
        variance = 0.9 * variance + 0.1 * z.var(axis=0, ddof=1)
    np.testing.assert_allclose(norm.running_mean.numpy(), mean)
    np.testing.assert_allclose(norm.running_var.numpy(), variance)
    z = np.random.default_rng(0).normal(size=(5, 3))
    expected = gamma * (z - mean) / np.sqrt(variance + norm.eps) + beta
    np.testing.assert_allclose(norm.eval()(torch.tensor(z)).detach().numpy(), expected)


def test_batch_norm_makes_the_bias_before_it_meaningless_3_15() -> None:
    torch.manual_seed(0)
    dense, norm = nn.Linear(4, 3).double(), nn.BatchNorm1d(3).double()
    x = torch.randn(8, 4, dtype=torch.float64)
    before = norm(dense(x))
    with torch.no_grad():
        dense.bias += 10
    torch.testing.assert_close(norm(dense(x)), before)
    networks = NETWORKS.get("multilayer-perceptron")
    for place, has_bias in (("before", False), ("after", True), ("none", True)):
        network = networks(input_shape=(4,), outputs=2, hidden=(5, 5), batch_norm=place)
        hidden = layers(network)[:-1]
        assert [layer.bias is not None for layer in hidden] == [has_bias] * 2


def test_sizes_of_the_notes_2_6() -> None:
    sizes = (INPUTS, *HIDDEN, len(CLASSES))
    for layer, (n_before, n) in zip(layers(made("relu")), pairwise(sizes), strict=True):
        assert layer.weight.shape == (n, n_before)
        assert layer.bias.shape == (n,)
