"""What a review shows: label noise from random samples, where it gathers, agreement, worth."""

import numpy as np
import pytest

from gapwise.diagnostics.agreement import agreement
from gapwise.diagnostics.label_review import (
    Share,
    Stratum,
    as_json,
    gathered,
    kind_of,
    label_noise,
)
from gapwise.diagnostics.people import BlindAnswer, people
from gapwise.diagnostics.worth_fixing import worth_fixing
from gapwise.statistics.intervals import wilson


def test_the_share_of_an_error_that_labels_make() -> None:
    wrong = Stratum(population=60, reviewed=20, mislabeled=5, flipped=4)
    right = Stratum(population=940, reviewed=50, mislabeled=1, flipped=1)
    found = label_noise("dev", wrong, right)
    assert found.error == 0.06
    assert found.of_error is not None
    assert (found.of_error.share, found.of_error.low) == (0.25, wilson(5, 20).low)
    assert found.of_labels is not None
    assert found.of_labels.share == pytest.approx(0.06 * 5 / 20 + 0.94 / 50)
    assert found.corrected is not None
    assert found.corrected.share == pytest.approx(0.06 * 16 / 20 + 0.94 / 50)
    assert found.corrected.low < found.corrected.share < found.corrected.high
    assert "Dev: 25.0 % (11.2 to 46.9) of the error is wrong labels (n = 20)" in found.says
    assert as_json(found)["says"] == found.says


def test_wrong_examples_alone_tell_no_corrected_error() -> None:
    none = Stratum(population=940, reviewed=0, mislabeled=0, flipped=0)
    wrong = Stratum(population=60, reviewed=20, mislabeled=5, flipped=4)
    found = label_noise("dev", wrong, none)
    assert found.of_error is not None
    assert found.corrected is None
    assert "review right examples too" in found.says
    assert "review the random sample" in label_noise("dev", none, none).says


def test_the_corrected_error_covers_the_truth() -> None:
    """Planted noise: samples of 100 wrong and 200 right ones, 300 times."""
    generator = np.random.default_rng(0)
    wrong, right, bad_wrong, bad_right = 400, 3600, 0.3, 0.02
    truth = (wrong * (1 - bad_wrong) + right * bad_right) / (wrong + right)
    covered = 0
    for _ in range(300):
        a = int(
            generator.hypergeometric(int(wrong * bad_wrong), wrong - int(wrong * bad_wrong), 100)
        )
        b = int(
            generator.hypergeometric(int(right * bad_right), right - int(right * bad_right), 200)
        )
        found = label_noise(
            "dev",
            Stratum(population=wrong, reviewed=100, mislabeled=a, flipped=a),
            Stratum(population=right, reviewed=200, mislabeled=b, flipped=b),
        ).corrected
        assert found is not None
        covered += found.low <= truth <= found.high
    assert covered / 300 >= 0.93


def test_systematic_errors_are_told_from_random_ones() -> None:
    generator = np.random.default_rng(0)
    source = np.array(["lab", "field"])[generator.integers(0, 2, 400)]
    random = generator.random(400) < 0.1
    assert not any(one.systematic for one in gathered(random, {"source": source}))
    assert "No sign that they are systematic" in kind_of((), 40)
    assert "too few" in kind_of((), 2)
    dogs = np.where(generator.random(400) < 0.2, "white dog → cat", "other")
    planted = random | ((dogs == "white dog → cat") & (generator.random(400) < 0.6))
    first = gathered(planted, {"source": source, "label and prediction": dogs})[0]
    assert (first.column, first.value) == ("label and prediction", "white dog → cat")
    assert first.systematic
    assert kind_of([first], 60).startswith("Systematic: ")
    assert gathered(np.zeros(0, np.bool_), {}) == ()


def test_worth_fixing_is_whether_the_order_can_turn() -> None:
    better = np.array([0.0] * 90 + [1.0] * 10)
    other = np.array([0.0] * 80 + [1.0] * 20)
    noisy = Share(share=0.5, low=0.4, high=0.6, n=50)
    clean = Share(share=0.0, low=0.0, high=0.05, n=50)
    turned = worth_fixing(better, other, noisy)
    assert (turned.lead, turned.differ, turned.is_worth) == (10, 10, True)
    assert turned.can_move == pytest.approx(12.0)
    assert "it can change which run is best" in turned.says
    assert worth_fixing(better, other, clean).is_worth is False
    unknown = worth_fixing(better, other, None)
    assert unknown.is_worth is None
    assert "review a sample" in unknown.says


def test_kappa_by_hand() -> None:
    found = agreement(list("aaab"), list("aabb"))
    assert found.agree == 0.75
    assert found.kappa == pytest.approx(0.5)
    assert agreement(list("aa"), list("aa")).kappa is None
    assert agreement([], []).says == "Nobody gave a second opinion yet."
    perfect = agreement(list("abab"), list("abab"))
    assert perfect.kappa == pytest.approx(1.0)
    assert "κ = 1.00" in perfect.says


def answers(person: str, said: str, distribution: str = "target") -> list[BlindAnswer]:
    return [
        BlindAnswer(
            person=person,
            example_id=f"e{place}",
            distribution=distribution,  # type: ignore[arg-type]
            said=letter,
            label="a",
            seconds=float(place),
        )
        for place, letter in enumerate(said)
    ]


def test_people_and_the_team() -> None:
    found = people(
        [*answers("ann", "aabb"), *answers("bob", "aaab"), *answers("cid", "baca"),
         *answers("ann", "ab", "train")]
    )  # fmt: skip
    rows = {(one.name, one.distribution): one for one in found.people}
    assert rows[("ann", "target")].error == 0.5
    assert rows[("ann", "target")].low == wilson(2, 4).low
    assert rows[("ann", "target")].seconds == 2.0
    # Majorities: a, a, a tie of all three (two of them wrong), b.
    assert rows[("team", "target")].error == pytest.approx((0 + 0 + 2 / 3 + 1) / 4)
    assert ("team", "train") not in rows
    assert {(one, other) for one, other, _ in found.pairs} == {
        ("ann", "bob"), ("ann", "cid"), ("bob", "cid"),
    }  # fmt: skip
    levels = found.levels()
    assert {(level.name, level.n) for level in levels} >= {("ann", 4), ("team", 4)}
    assert found.as_json()["people"][0]["name"] == "ann"
    assert people([]).levels() == ()
