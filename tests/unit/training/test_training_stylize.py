"""Style transfer: costs by hand, what is learned, and what is refused."""

import pytest
import torch
from torch import Tensor, nn

from gapwise.errors import TrainingError, UsageError
from gapwise.networks.small_cnn import SmallCnn
from gapwise.training.style_costs import content_cost, roughness, style_cost, style_matrix
from gapwise.training.stylize import Activations, Progress, StyleOptions, stylize

CONTENT, STYLE = "convolution2_activation", {"convolution1_activation": 1.0}


@pytest.fixture
def seen() -> Activations:
    torch.manual_seed(0)
    network = SmallCnn(input_shape=(3, 16, 16), outputs=2, channels=(8, 16), batch_norm="none")
    return Activations(network, (CONTENT, *STYLE), lambda x: x / 127.5 - 1)


def pictures() -> tuple[Tensor, Tensor]:
    """A soft hill, and upright stripes of another size."""
    across = torch.linspace(0, 3.14, 16).sin()
    hill = (40 + 180 * across[:, None] * across[None]).expand(3, 16, 16).contiguous()
    stripes = (60 + 140.0 * (torch.arange(24) // 2 % 2)).expand(3, 20, 24).contiguous()
    return hill, stripes


def options(**given: object) -> StyleOptions:
    return StyleOptions(**({"content": CONTENT, "style": STYLE, "steps": 15} | given))  # type: ignore[arg-type]


def test_a_style_matrix_is_how_channels_go_together() -> None:
    a = torch.randn(1, 3, 4, 5)
    wanted = torch.zeros(3, 3)
    for k in range(3):
        for other in range(3):
            for i in range(4):
                for j in range(5):
                    wanted[k, other] += a[0, k, i, j] * a[0, other, i, j] / 20
    assert torch.allclose(style_matrix(a)[0], wanted, atol=1e-6)


def test_costs_are_those_of_the_notes() -> None:
    """8.5: ‖G(S) − G(G)‖² / (2·n_H·n_W·n_C)², of matrices that are not divided by places."""
    made, wanted = torch.randn(2, 1, 3, 4, 5)
    sums = [20 * style_matrix(a) for a in (made, wanted)]
    notes = (sums[0] - sums[1]).square().sum() / (2 * 4 * 5 * 3) ** 2
    assert torch.allclose(style_cost(style_matrix(made), style_matrix(wanted)), notes)
    assert torch.allclose(content_cost(made, wanted), (made - wanted).square().sum() / 2 / 60)
    assert float(content_cost(made, made)) == 0
    assert float(style_cost(style_matrix(made), style_matrix(made))) == 0


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("start", ["content", "noise"])
def test_the_cost_falls_and_the_picture_stays_one(
    seen: Activations, optimizer: str, start: str
) -> None:
    content, style = pictures()
    told: list[Progress] = []
    made = stylize(
        seen, content, style, options(optimizer=optimizer, start=start, steps=40), told.append
    )
    assert made.shape == content.shape
    assert float(made.min()) >= 0
    assert float(made.max()) <= 255
    assert [one.step for one in told] == [0, 10, 20, 30, 40]
    assert told[-1].total < told[0].total / 2
    assert torch.equal(told[-1].picture, made)
    assert told[0].total == pytest.approx(told[0].content + 10 * told[0].style, rel=1e-4)


def test_without_style_the_content_stays_and_begins_at_no_cost(seen: Activations) -> None:
    content, style = pictures()
    told: list[Progress] = []
    made = stylize(seen, content, style, options(beta=0.0), told.append)
    assert told[0].content == pytest.approx(0, abs=1e-9)
    assert torch.allclose(made, content, atol=0.5)


def test_more_beta_brings_the_style_nearer_and_the_content_further(seen: Activations) -> None:
    content, style = pictures()
    costs = []
    for beta in (0.1, 100.0):
        told: list[Progress] = []
        stylize(seen, content, style, options(beta=beta, steps=40), told.append)
        costs.append(told[-1])
    assert costs[1].style < costs[0].style
    assert costs[1].content > costs[0].content


def test_the_same_seed_makes_the_same_picture_and_the_network_stays(seen: Activations) -> None:
    content, style = pictures()
    before = [weight.clone() for weight in seen.parameters()]
    first, second, other = (
        stylize(seen, content, style, options(start="noise", seed=seed, steps=5))
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert all(torch.equal(a, b) for a, b in zip(before, seen.parameters(), strict=True))


def test_largest_of_windows_become_means_where_asked() -> None:
    network = SmallCnn(input_shape=(1, 8, 8), outputs=2, channels=(4,), batch_norm="none")
    for smooth, kind in ((True, nn.AvgPool2d), (False, nn.MaxPool2d)):
        seen = Activations(network, ["convolution1_activation"], lambda x: x, smooth=smooth)
        assert any(isinstance(unit, kind) for unit in seen.units)
    assert any(isinstance(unit, nn.MaxPool2d) for unit in network.modules())


def test_smoothness_takes_roughness_away(seen: Activations) -> None:
    content, style = pictures()
    rough = [
        float(roughness(stylize(seen, content, style, options(smooth=smooth, beta=1.0, steps=20))))
        for smooth in (0.0, 20.0)
    ]
    assert rough[1] < rough[0] / 2
    flat = torch.zeros(1, 2, 3)
    flat[0, 0, 1] = 2.0
    assert float(roughness(flat)) == pytest.approx(4 / 3 + 8 / 4)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"alpha": -1.0}, "--alpha is -1; give 0 or more"),
        ({"steps": 0}, "--steps is 0; give 1 or more"),
        ({"alpha": 0.0, "beta": 0.0}, "both 0"),
        ({"style": {}}, "style layers need weights"),
        ({"style": {"a": -1.0}}, "style layers need weights"),
        ({"optimizer": "sgd"}, "--optimizer is 'sgd'; known: adam, lbfgs"),
        ({"start": "nois"}, "did you mean noise"),
        ({"rate": 0.0}, "--rate is 0; give more than 0"),
    ],
)
def test_options_that_cannot_be_are_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        options(**given)


def test_a_layer_that_is_not_there_or_gives_no_map_is_named(seen: Activations) -> None:
    network = SmallCnn(input_shape=(3, 16, 16), outputs=2)
    with pytest.raises(UsageError, match="no layer convolution9; did you mean"):
        Activations(network, ["convolution9"], lambda x: x)
    dense = Activations(network, ["dense"], lambda x: x)
    with pytest.raises(UsageError, match="layer dense gives no map"):
        dense(torch.zeros(1, 3, 16, 16))


def test_a_cost_that_is_not_finite_stops_with_the_step(seen: Activations) -> None:
    content, style = pictures()
    with pytest.raises(TrainingError, match="the cost is nan at step 0; lower --rate"):
        stylize(seen, content * torch.nan, style, options())
