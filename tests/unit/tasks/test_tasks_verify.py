"""Verification: triplets by hand, the threshold, and what is said of people with one picture."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from gapwise.errors import PipelineError
from gapwise.labels import one_class
from gapwise.tasks.verify import Verify

PEOPLE = ("ann", "bob", "cy")


def made(**options: object) -> Verify:
    task = Verify(size=4, **options)  # type: ignore[arg-type]
    task.use(one_class(PEOPLE), {})
    return task


def drawn(count: int = 12, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    outputs = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    return outputs, torch.arange(count) % 3


def triplets(task: Verify, outputs: torch.Tensor, people: torch.Tensor, mining: str) -> list[float]:
    """Return the mean loss of each anchor's triplets, picked one by one."""
    apart = task.distances(outputs, outputs)
    found = []
    for anchor in range(len(people)):
        positives = [p for p in range(len(people)) if p != anchor and people[p] == people[anchor]]
        negatives = [n for n in range(len(people)) if people[n] != people[anchor]]
        losses = []
        for positive in positives:
            near = float(apart[anchor, positive])
            far = sorted(float(apart[anchor, n]) for n in negatives)
            beyond = [d for d in far if d > near]
            chosen = {"semi-hard": beyond[:1] or far[-1:], "all": far}[mining]
            losses += [max(0.0, near - d + 0.2) for d in chosen]
        found.append(sum(losses) / len(losses) if losses else 0.0)
    return found


@pytest.mark.parametrize("mining", ["semi-hard", "all"])
def test_the_triplet_loss_is_that_of_triplets_picked_one_by_one(mining: str) -> None:
    task = made(mining=mining)
    outputs, people = drawn()
    wanted = torch.tensor(triplets(task, outputs, people, mining))
    assert torch.allclose(task.loss(outputs, people), wanted, atol=1e-6)


def test_hard_triplets_have_the_farthest_positive_and_the_nearest_negative() -> None:
    task = made(mining="hard")
    outputs, people = drawn()
    apart = task.distances(outputs, outputs)
    for anchor, loss in enumerate(task.loss(outputs, people).tolist()):
        own = (people == people[anchor]) & (torch.arange(len(people)) != anchor)
        worst = float(apart[anchor][own].max() - apart[anchor][people != people[anchor]].min())
        assert loss == pytest.approx(max(0.0, worst + 0.2), abs=1e-6)


@pytest.mark.parametrize("mining", ["semi-hard", "hard", "all"])
def test_the_loss_of_identical_encodings_is_the_margin_never_0(mining: str) -> None:
    """Notes 7.4: without α, all encodings alike would do."""
    task = made(mining=mining, margin=0.3)
    loss = task.loss(torch.ones(6, 4), torch.arange(6) % 3)
    assert torch.allclose(loss, torch.full((6,), 0.3), atol=1e-6)


def test_distances_are_squares_of_encodings_of_length_1() -> None:
    outputs, _ = drawn()
    unit = F.normalize(outputs, dim=1)
    wanted = (unit[:, None] - unit[None]).square().sum(2)
    assert torch.allclose(made().distances(outputs, outputs), wanted, atol=1e-6)


def test_a_logistic_head_weighs_the_differences_of_each_unit() -> None:
    task = made(loss="logistic")
    outputs, people = drawn()
    unit = F.normalize(outputs, dim=1)
    weight, bias = task.learned.weight, task.learned.bias
    odds = torch.stack(
        [torch.stack([(weight * (a - b).abs()).sum() + bias for b in unit]) for a in unit]
    )
    assert torch.allclose(task.distances(outputs, outputs), -odds, atol=1e-5)
    # Half the loss is that of pairs of one person, half that of pairs of two.
    first = torch.arange(12)
    own, other = (people == people[0]) & (first != 0), people != people[0]
    wanted = F.softplus(-odds[0][own]).mean() / 2 + F.softplus(odds[0][other]).mean() / 2
    assert float(task.loss(outputs, people)[0].detach()) == pytest.approx(
        float(wanted.detach()), abs=1e-5
    )
    task.loss(outputs, people).sum().backward()
    assert weight.grad is not None
    assert weight.grad.any()


@pytest.mark.parametrize("far", [0.01, 0.1, 0.5])
def test_the_threshold_lets_the_stated_share_of_two_people_pass(far: float) -> None:
    task = made(far=far)
    outputs, people = drawn(90)
    task.calibrate(outputs, people)
    apart = task.distances(outputs, outputs)
    pairs = [(a, b) for a, b in itertools.combinations(range(90), 2) if people[a] != people[b]]
    passed = sum(float(apart[a, b]) <= task.threshold for a, b in pairs) / len(pairs)
    assert passed <= far
    assert passed == pytest.approx(far, abs=1.5 / len(pairs))


def test_an_error_is_the_mean_of_the_shares_of_wrong_pairs() -> None:
    task = made()
    # ann twice nearby, ann once far off beside bob, bob, and cy alone.
    angles = torch.tensor([0.0, 0.1, 1.6, 1.5, 3.0])
    outputs = torch.stack([angles.cos(), angles.sin()], 1)
    outputs = torch.cat([outputs, torch.zeros(5, 2)], 1)
    people = torch.tensor([0, 0, 0, 1, 2])
    task.learned.threshold.fill_(0.5)
    said = task.judge(outputs, people)
    assert said.error.tolist() == pytest.approx([0.25, 0.25, 0.75, 1 / 4, 0.0])
    assert said.predicted.tolist() == [0, 0, 1, 0, 0]
    assert said.columns["false_rejects"].tolist()[:3] == [0.5, 0.5, 1.0]
    assert said.columns["false_rejects"].isnan().tolist() == [False] * 3 + [True] * 2
    assert said.columns["false_accepts"].tolist() == pytest.approx([0, 0, 0.5, 0.25, 0])


def test_many_examples_are_judged_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Block by block, all at once: the same."""
    task = made()
    outputs, people = drawn(40)
    task.calibrate(outputs, people)
    whole, threshold = task.judge(outputs, people), task.threshold
    losses = task.loss(outputs, people)
    monkeypatch.setattr("gapwise.tasks.verify.AT_ONCE", 100)
    task.calibrate(outputs, people)
    parts = task.judge(outputs, people)
    assert task.threshold == threshold
    assert torch.equal(whole.predicted, parts.predicted)
    assert torch.equal(whole.error, parts.error)
    assert torch.allclose(task.loss(outputs, people), losses, atol=1e-6)


def test_somebody_unknown_is_compared_with_nobody() -> None:
    task = made()
    outputs, people = drawn(6)
    people[5] = -1
    assert float(task.loss(outputs, people)[5]) == 0
    said = task.judge(outputs, people)
    assert int(said.predicted[5]) == -1
    assert 5 not in [int(row) for row in said.predicted]


@pytest.mark.parametrize("targets", [[0, 0, 0], [0, 1, 2], []])
def test_train_must_hold_two_people_and_two_pictures_of_one(targets: list[int]) -> None:
    with pytest.raises(PipelineError, match="give two people or more, some with two pictures"):
        made().fit(one_class(PEOPLE), torch.tensor(targets, dtype=torch.int64).numpy())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"margin": 0.0}, "margin is 0, not above 0"),
        ({"far": 1.0}, "far is 1, not between"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        made(**options)
