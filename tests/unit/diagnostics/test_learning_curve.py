"""Would more data help? Forecasts of well-behaved curves, and abstentions with their reasons."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from gapwise.diagnostics.learning_curve import Measured, learning_curve

SIZES = (50, 100, 200, 400, 800, 1600)


def measured(dev, train=None, n_dev=2000.0, sizes=SIZES, seeds=3) -> Measured:
    random = np.random.default_rng(0)
    spread = 0.02 * random.standard_normal((len(sizes), seeds))
    return Measured(
        sizes=sizes,
        dev=tuple(tuple(e * (1 + s) for s in row) for e, row in zip(dev, spread, strict=True)),
        train=tuple((e,) * seeds for e in (train or [0.0] * len(sizes))),
        n_dev=n_dev,
    )


def falling(level=0.02, exponent=0.7, sizes=SIZES) -> list[float]:
    return [level + 0.4 * (n / 50) ** -exponent for n in sizes]


def test_a_falling_curve_is_forecast_with_gain_and_gap() -> None:
    found = learning_curve(measured(falling()))
    twice, ten = found.forecasts
    truth = 0.02 + 0.4 * 64**-0.7
    assert (twice.factor, twice.size, ten.size) == (2, 3200, 16000)
    assert twice.low < truth < twice.high
    assert twice.error == pytest.approx(truth, rel=0.1)
    assert twice.gain_low < 0.4 * (32**-0.7 - 64**-0.7) < twice.gain_high
    assert twice.gap == pytest.approx(twice.error, abs=0.005)
    assert twice.gap_now > twice.gap
    assert found.says.startswith("More data would help: twice the training data (3,200 examples)")
    assert found.abstains == ""
    json.dumps(found.as_json(), allow_nan=False)


def test_a_curve_that_has_levelled_off_gains_little() -> None:
    level = measured([0.3, 0.17, 0.125, 0.112, 0.107, 0.105], n_dev=20_000)
    found = learning_curve(level, delta=0.03)
    assert found.says.startswith("More data would help little: ")
    assert abs(found.forecasts[0].gain) < 0.005
    assert learning_curve(level, delta=0.01).says.startswith("More data may help: ")


def test_real_errors_of_a_real_learner() -> None:
    """Logistic regression on digits: forecasts at twice the data hold what was then measured."""
    inputs, labels = load_digits(return_X_y=True)
    inputs = inputs / 16
    order = np.random.default_rng(5).permutation(len(labels))
    dev, pool = order[:600], order[600:]
    errors, train = [], []
    for size in (37, 74, 149, 299, 598, 1197):
        rows = []
        for seed in range(3):
            drawn = np.random.default_rng(seed).permutation(pool)[:size]
            model = LogisticRegression(max_iter=2000, C=0.3).fit(inputs[drawn], labels[drawn])
            rows.append([1 - model.score(inputs[part], labels[part]) for part in (dev, drawn)])
        errors.append(tuple(row[0] for row in rows))
        train.append(tuple(row[1] for row in rows))
    known = Measured(
        sizes=(37, 74, 149, 299, 598), dev=tuple(errors[:5]), train=tuple(train[:5]), n_dev=600.0
    )
    twice = learning_curve(known, factors=(2,)).forecasts[0]
    assert twice.low <= np.mean(errors[5]) <= twice.high


@pytest.mark.parametrize(
    ("dev", "sizes", "n_dev", "says"),
    [
        ([0.4, 0.3, 0.2], (50, 100, 200), 2000.0, "3 sizes were trained on and a law needs 4"),
        ([0.4, 0.37, 0.35, 0.33], (50, 60, 70, 80), 2000.0, "less than 4 times"),
        ([0.2] * 6, SIZES, 2000.0, "does not fall with more data"),
        ([0.1, 0.12, 0.14, 0.16, 0.18, 0.2], SIZES, 2000.0, "rises from 10.0 % at 50 examples to"),
        ([0.4, 0.3, 0.2, 0.45, 0.15, 0.1], SIZES, 2000.0, "rises from 20.0 % at 200 examples to"),
        ([0.4, 0.2, 0.1, 0.05, 0.01, 0.0], SIZES, 2000.0, "is 0 at the largest size"),
        ([0.0] * 6, SIZES, 2000.0, "is 0 at the largest size"),
        ([1.0] * 6, SIZES, 2000.0, "does not fall with more data"),
        ([0.45, 0.449, 0.2, 0.199, 0.06, 0.0599], SIZES, 1e6, "no law fits the curve"),
    ],
)
def test_an_ill_behaved_curve_is_not_extrapolated(dev, sizes, n_dev, says) -> None:
    errors = Measured(
        sizes=sizes, dev=tuple((e,) * 3 for e in dev), train=tuple((0.0,) for _ in dev), n_dev=n_dev
    )
    found = learning_curve(errors)
    assert says in found.abstains
    assert found.says == f"No forecast: {found.abstains}."
    assert all(one.error is None and one.abstains == found.abstains for one in found.forecasts)
    assert len(found.points) == len(sizes)
    json.dumps(found.as_json(), allow_nan=False)


def test_a_forecast_too_far_is_withheld_alone() -> None:
    """One dev error in thirty: a tenth more data may be spoken of, ten times as much may not."""
    found = learning_curve(measured(falling(level=0.0), n_dev=30), factors=(1.1, 10))
    assert found.abstains == ""
    assert found.forecasts[1].abstains
    assert found.forecasts[1].gain is None


def test_points_carry_their_intervals() -> None:
    found = learning_curve(measured(falling()))
    for point in found.points:
        assert point.dev_low < point.dev_error < point.dev_high
        assert point.seeds == 3


def test_a_train_error_that_rises_closes_the_gap_from_below() -> None:
    train = [0.0, 0.005, 0.012, 0.02, 0.026, 0.03]
    twice = learning_curve(measured(falling(level=0.04), train)).forecasts[0]
    assert twice.gap < twice.error - 0.03
