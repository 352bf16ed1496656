"""The notes' first networks: logic gates, regression with polynomials, the two exercises."""

from math import comb

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import PolynomialFeatures
from torch import nn
from torch.nn import functional as F

from gapwise.errors import PipelineError
from gapwise.networks._polynomial import Polynomial
from gapwise.networks.base import NETWORKS
from gapwise.networks.perceptron import THETA, Gate, Perceptron, logical

CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])

TRUTH: dict[Gate, list[int]] = {
    "and": [0, 0, 0, 1],
    "or": [0, 1, 1, 1],
    "nor": [1, 0, 0, 0],
    "xnor": [1, 0, 0, 1],
    "xor": [0, 1, 1, 0],
}


@pytest.mark.parametrize("gate", TRUTH)
def test_the_notes_theta_give_the_truth_table(gate: Gate) -> None:
    h = torch.sigmoid(logical(gate)(CORNERS))
    assert h.shape == (4, 1)
    assert h.round().flatten().tolist() == TRUTH[gate]
    assert (h - h.round()).abs().max() < 1e-4, "g(±10) is 0 or 1 to four digits"


def test_the_gates_have_the_notes_theta() -> None:
    assert THETA == {"and": (-30, 20, 20), "or": (-10, 20, 20), "nor": (10, -20, -20)}
    for gate, theta in THETA.items():
        unit = logical(gate).get_submodule("output")
        assert [unit.bias.item(), *unit.weight[0].tolist()] == list(theta)


def test_xor_is_two_layers_of_the_single_gates() -> None:
    hidden = torch.cat([torch.sigmoid(logical(gate)(CORNERS)) for gate in ("and", "nor")], 1)
    for gate, last in (("xnor", "or"), ("xor", "nor")):
        by_hand = logical(last)(hidden)
        assert torch.allclose(logical(gate)(CORNERS), by_hand, atol=1e-5)


def fitted(hidden: int, seed: int) -> list[int]:
    """Train on the four corners of XOR, and return what is answered."""
    torch.manual_seed(seed)
    network = Perceptron(input_shape=(2,), outputs=1, hidden=hidden)
    targets = torch.tensor(TRUTH["xor"], dtype=torch.float32)[:, None]
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def cost() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(network(CORNERS), targets)
        loss.backward()
        return loss

    optimizer.step(cost)
    return (network(CORNERS) > 0).int().flatten().tolist()


def test_xor_is_learned_with_hidden_units_and_never_without() -> None:
    assert TRUTH["xor"] in [fitted(hidden=2, seed=seed) for seed in range(10)]
    assert all(fitted(hidden=0, seed=seed) != TRUTH["xor"] for seed in range(10))


@pytest.mark.parametrize(("inputs", "degree"), [(1, 1), (1, 4), (3, 2), (4, 3), (2, 5)])
def test_polynomial_features_are_all_products(inputs: int, degree: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, inputs, dtype=torch.float64)
    ours = Polynomial(inputs, degree)(x).numpy()
    theirs = PolynomialFeatures(degree, include_bias=False).fit_transform(x.numpy())
    assert ours.shape[1] == comb(inputs + degree, degree) - 1
    np.testing.assert_allclose(np.sort(ours, axis=1), np.sort(theirs, axis=1), rtol=1e-10)


def test_polynomial_features_need_no_place_in_a_weights_file() -> None:
    network = NETWORKS.get("logistic-regression")(input_shape=(4,), outputs=3, degree=3)
    assert set(network.state_dict()) == {"output.weight", "output.bias"}


def minimised(network: nn.Module, x: torch.Tensor, cost: nn.Module, y: torch.Tensor) -> None:
    optimizer = torch.optim.LBFGS(
        network.parameters(), max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = cost(network(x), y)
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)


def test_linear_regression_with_squares_finds_the_parabola() -> None:
    x = torch.linspace(-1, 1, 40, dtype=torch.float64)[:, None]
    y = 3 - 2 * x + 0.5 * x**2
    network = NETWORKS.get("linear-regression")(input_shape=(1,), outputs=1, degree=2).double()
    minimised(network, x, nn.MSELoss(), y)
    last = network.get_submodule("output")
    assert last.bias.item() == pytest.approx(3, abs=1e-4)
    assert last.weight[0].tolist() == pytest.approx([-2, 0.5], abs=1e-4)
    straight = LinearRegression().fit(x.numpy(), y.numpy())
    assert straight.score(x.numpy(), y.numpy()) < 0.99 < 1 - (network(x) - y).square().mean()


def test_logistic_regression_separates_a_disc_by_squares_alone() -> None:
    """What no straight line separates, a quadratic one does (notes 1.1); as scikit-learn's."""
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, size=(300, 2))
    y = (x[:, 0] ** 2 + x[:, 1] ** 2 < 0.5).astype(float) * (random.random(300) < 0.9)
    inputs, targets = torch.tensor(x), torch.tensor(y)[:, None]
    network = NETWORKS.get("logistic-regression")(input_shape=(2,), outputs=1, degree=2).double()
    minimised(network, inputs, nn.BCEWithLogitsLoss(), targets)
    features = PolynomialFeatures(2, include_bias=False).fit_transform(x)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(features, y)
    ours = torch.sigmoid(network(inputs)).detach().numpy()[:, 0]
    np.testing.assert_allclose(ours, theirs.predict_proba(features)[:, 1], atol=1e-3)
    straight = LogisticRegression(C=np.inf).fit(x, y)
    assert np.mean((ours > 0.5) == y) > straight.score(x, y) + 0.1


def test_too_many_features_are_counted_before_memory_is_taken() -> None:
    with pytest.raises(
        PipelineError, match=r"degree 3 of 784 inputs makes 80,931,144 features, more than 1,000,0"
    ):
        NETWORKS.get("logistic-regression")(input_shape=(1, 28, 28), outputs=10, degree=3)


@pytest.mark.parametrize("name", ["linear-regression", "logistic-regression"])
def test_degree_0_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="degree is 0, but must be at least 1"):
        NETWORKS.get(name)(input_shape=(4,), outputs=1, degree=0)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("side", [1, 5, 7, 28, 31, 64])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_functional_cnn_pads_as_keras_does_with_same(side: int, activation: str) -> None:
    """Rows are added before and behind, one more behind, and never taken by pooling."""
    torch.manual_seed(0)
    made = NETWORKS.get("functional-cnn")
    network = made(input_shape=(3, side, side), outputs=6, activation=activation)
    x = y = torch.randn(2, 3, side, side)
    for i, (kernel, pool) in enumerate(((4, 8), (2, 4)), start=1):
        convolution = network.get_submodule(f"convolution{i}")
        y = F.conv2d(y, convolution.weight, convolution.bias, padding="same")
        assert kernel == convolution.kernel_size[0]
        y = getattr(torch, activation)(y)
        n = y.shape[-1]
        missing = (-n) % pool
        y = F.pad(y, (missing // 2, missing - missing // 2) * 2, value=-np.inf)
        y = F.max_pool2d(y, pool)
    y = network.get_submodule("output")(y.flatten(1))
    assert torch.allclose(network(x), y, atol=1e-5)
    assert network(x).isfinite().all()


def test_happy_cnn_wants_odd_kernels() -> None:
    with pytest.raises(ValueError, match="kernel is 4, but must be odd"):
        NETWORKS.get("happy-cnn")(input_shape=(3, 64, 64), outputs=1, kernel=4)


def test_happy_cnn_is_the_listing_of_the_notes() -> None:
    network = NETWORKS.get("happy-cnn")(input_shape=(3, 64, 64), outputs=1)
    kinds = [type(unit) for unit in network.children()]
    assert kinds == [
        nn.ZeroPad2d, nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Linear,
    ]  # fmt: skip
