"""The rules of ladder, gaps and verdict, one test a rule."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from gapwise.diagnostics.errors_by_split import SplitErrors
from gapwise.diagnostics.evidence import Evidence, from_memory
from gapwise.diagnostics.gaps import gap_draws, links
from gapwise.diagnostics.ladder import diagnose
from gapwise.diagnostics.rungs import rungs
from gapwise.errors import DataError
from gapwise.records import Diagnosis, Gap, HumanLevel, Predictions


def counts(wrong: int, n: int) -> tuple[SplitErrors, ...]:
    return (SplitErrors(n=n, rate=wrong / n, wrong=wrong),)


def evidence(*human: HumanLevel, same: bool = False, **splits: tuple[int, int]) -> Evidence:
    return Evidence(
        run_ids=("run",),
        splits={split: counts(*pair) for split, pair in splits.items()},
        human=human,
        same_distribution=same,
    )


def table(split: str, errors: np.ndarray, **columns: np.ndarray) -> Predictions:
    n = len(errors)
    values = {
        "split": split,
        "example_id": np.array([f"{i:05d}" for i in range(n)]),
        "target": np.zeros(n, np.int64),
        "predicted": np.zeros(n, np.int64),
        "error": np.asarray(errors, float),
        "weight": np.ones(n),
    }
    return Predictions(**(values | columns))


def gap(diagnosis: Diagnosis, name: str) -> Gap:
    return next(gap for gap in diagnosis.gaps if gap.name == name)


def finding(diagnosis: Diagnosis, name: str) -> str:
    return " ".join(f.says for f in diagnosis.findings if f.diagnostic == name)


HUMAN = HumanLevel(error=0.0)


def test_variance_is_measured_from_the_observed_train_error() -> None:
    """Its interval is that of train-dev alone: the train error is exact for this model."""
    diagnosis = diagnose(evidence(HUMAN, train=(3, 30), train_dev=(40, 200), dev=(40, 200)))
    beta = stats.beta(40.5, 160.5)
    variance = gap(diagnosis, "variance")
    assert variance.low == pytest.approx(beta.ppf(0.025) - 0.1, abs=0.003)
    assert variance.high == pytest.approx(beta.ppf(0.975) - 0.1, abs=0.003)


def test_the_train_interval_describes_a_new_training_set() -> None:
    train = diagnose(evidence(train=(10, 100), dev=(10, 100))).ladder[0]
    shown = stats.binomtest(10, 100).proportion_ci(method="wilson")
    assert (train.low, train.high) == pytest.approx((shown.low, shown.high))


def test_mismatch_takes_both_rungs_into_account() -> None:
    diagnosis = diagnose(evidence(train=(0, 100), train_dev=(20, 200), dev=(60, 200)))
    generator = np.random.default_rng(0)
    drawn = generator.beta(60.5, 140.5, 400_000) - generator.beta(20.5, 180.5, 400_000)
    mismatch = gap(diagnosis, "data_mismatch")
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert (mismatch.low, mismatch.high) == pytest.approx((low, high), abs=0.004)


@pytest.mark.parametrize(
    ("present", "same", "names"),
    [
        ("human train train_dev dev", False, ["avoidable_bias", "variance", "data_mismatch"]),
        ("train train_dev dev", False, ["bias", "variance", "data_mismatch"]),
        ("human train dev", False, ["avoidable_bias", "variance+data_mismatch"]),
        ("human train dev", True, ["avoidable_bias", "variance"]),
        ("human train_dev dev", False, ["avoidable_bias+variance", "data_mismatch"]),
        ("human dev", False, ["avoidable_bias+variance+data_mismatch"]),
        ("human dev", True, ["avoidable_bias+variance"]),
        ("dev", False, ["bias+variance+data_mismatch"]),
        ("train train_dev", False, ["bias", "variance"]),
        ("train train_dev test", False, ["bias", "variance", "data_mismatch+dev_overfit"]),
        ("human train dev test", True, ["avoidable_bias", "variance", "dev_overfit"]),
        ("human train train_dev dev", True, ["avoidable_bias", "variance", "data_mismatch"]),
    ],
)
def test_gap_names_across_missing_rungs(present: str, same: bool, names: list[str]) -> None:
    assert [link.name for link in links(present.split(), same)] == names


def test_a_combined_gap_competes_as_one_and_wins() -> None:
    diagnosis = diagnose(evidence(HUMAN, train=(20, 2000), dev=(300, 2000)))
    assert diagnosis.verdict == "variance+data_mismatch"
    assert "cannot be told apart" in finding(diagnosis, "missing-rungs")


def test_a_combined_gap_that_contains_bias_never_wins() -> None:
    diagnosis = diagnose(evidence(train_dev=(600, 2000), dev=(610, 2000)))
    combined = gap(diagnosis, "bias+variance")
    assert combined.is_high
    assert combined.probability_largest > 0.99
    assert diagnosis.verdict == "undecided"
    assert diagnosis.needs is not None
    assert diagnosis.needs["rung"] == "human"


def test_without_a_human_level_the_same_ladder_is_undecided_and_asks_for_people() -> None:
    splits = {"train": (300, 2000), "train_dev": (310, 2000), "dev": (320, 2000)}
    assert diagnose(evidence(HUMAN, **splits)).verdict == "avoidable_bias"
    without = diagnose(evidence(**splits))
    assert without.verdict == "undecided"
    assert without.ladder[0].rung == "train"
    assert without.needs is not None
    assert without.needs["rung"] == "human"
    assert without.needs["n"] >= 100


def test_a_human_level_without_n_has_no_interval_and_says_so() -> None:
    with_n = diagnose(evidence(HumanLevel(error=0.05, n=300), train=(9, 90), dev=(9, 90)))
    without = diagnose(evidence(HumanLevel(error=0.05), train=(9, 90), dev=(9, 90)))
    assert with_n.ladder[0].low is not None
    assert (without.ladder[0].low, without.ladder[0].high, without.ladder[0].n) == (None,) * 3
    assert without.ladder[0].why
    assert without.gaps[0].low is not None


def test_the_lowest_human_level_with_100_answers_stands_for_bayes_error() -> None:
    levels = [
        HumanLevel(error=0.01, n=20),
        HumanLevel(error=0.03, n=100),
        HumanLevel(error=0.05, n=500),
        HumanLevel(error=0.001, n=500, distribution="target"),
    ]
    assert diagnose(evidence(*levels, train=(9, 90), dev=(9, 90))).ladder[0].error == 0.03
    few = diagnose(evidence(levels[0], HumanLevel(error=0.2, n=9), train=(9, 90), dev=(9, 90)))
    assert few.ladder[0].error == 0.01
    assert "20 examples" in finding(few, "human-level")


def test_human_error_on_the_target_is_the_inherent_part_of_the_mismatch() -> None:
    people = (
        HumanLevel(error=0.01, n=1000),
        HumanLevel(error=0.06, n=1000, distribution="target"),
    )
    diagnosis = diagnose(evidence(*people, train=(10, 1000), train_dev=(15, 1000), dev=(120, 1000)))
    inherent = diagnosis.extra["inherent_mismatch"]
    assert inherent["gap"] == pytest.approx(0.05)
    assert 0.03 < inherent["low"] < 0.05 < inherent["high"] < 0.07
    assert diagnosis.ladder[0].error == 0.01
    verdict = next(f for f in diagnosis.findings if f.diagnostic == "verdict")
    assert verdict.knobs[0].at_most == pytest.approx(0.105 - 0.05)


def test_human_level_of_the_target_alone_gives_no_avoidable_bias() -> None:
    people = HumanLevel(error=0.06, n=1000, distribution="target")
    splits = {"train": (10, 1000), "dev": (120, 1000)}
    assert diagnose(evidence(people, **splits)).gaps[0].name == "bias"
    assert diagnose(evidence(people, same=True, **splits)).gaps[0].name == "avoidable_bias"


def test_surpassing_people_is_said_plainly() -> None:
    people = HumanLevel(error=0.1, n=5000)
    diagnosis = diagnose(evidence(people, same=True, train=(100, 5000), dev=(110, 5000)))
    assert gap(diagnosis, "avoidable_bias").gap == pytest.approx(-0.08)
    assert "surpasses the human level" in finding(diagnosis, "negative-gaps")


def test_test_is_shown_only_when_asked_for() -> None:
    splits = {"train": (10, 1000), "train_dev": (10, 1000), "dev": (20, 1000), "test": (200, 1000)}
    hidden = diagnose(evidence(HUMAN, **splits))
    assert [rung.rung for rung in hidden.ladder] == ["human", "train", "train_dev", "dev"]
    shown = diagnose(evidence(HUMAN, **splits), test=True)
    assert shown.verdict == "dev_overfit"
    assert shown.ladder[-1].rung == "test"


@pytest.mark.parametrize(
    ("human", "splits"),
    [
        (HUMAN, {"train": (10, 897), "train_dev": (15, 250), "dev": (32, 400)}),
        (HUMAN, {"train": (2, 300), "train_dev": (9, 150), "dev": (10, 150)}),
        (HUMAN, {"train": (0, 200), "train_dev": (1, 200), "dev": (2, 200)}),
        (
            HumanLevel(error=0.05, n=40),
            {"train": (45, 500), "train_dev": (50, 500), "dev": (55, 500)},
        ),
        (HUMAN, {"train": (2000, 20000), "train_dev": (110, 1000), "dev": (200, 1000)}),
    ],
)
def test_what_is_needed_decides(human: HumanLevel, splits: dict[str, tuple[int, int]]) -> None:
    """With the n that ``needs`` names, at the same rates, the ladder is decided."""
    before = diagnose(evidence(human, **splits))
    assert before.verdict == "undecided"
    needs = before.needs
    assert needs is not None
    grown = dict(splits)
    for rung, n in needs.get("together", {needs["rung"]: needs["n"]}).items():
        if rung == "human":
            human = replace(human, n=n)
        else:
            wrong, now = splits[rung]
            grown[rung] = (round(wrong * 1.05 * n / now), round(1.05 * n))
    after = diagnose(evidence(human, **grown))
    assert after.decided, (needs, after.gaps)


def test_a_tie_is_decided_by_no_n() -> None:
    diagnosis = diagnose(evidence(HUMAN, same=True, train=(1500, 10000), dev=(3000, 10000)))
    assert diagnosis.verdict == "undecided"
    assert diagnosis.needs is not None
    assert diagnosis.needs["n"] is None
    assert "no number" in diagnosis.needs["why"]


def test_delta_moves_the_limit() -> None:
    splits = {"train": (50, 10000), "dev": (200, 10000)}
    assert diagnose(evidence(HUMAN, same=True, **splits)).verdict == "variance"
    assert diagnose(evidence(HUMAN, same=True, **splits), delta=0.03).verdict == "none"


def test_the_same_evidence_gives_the_same_numbers() -> None:
    known = evidence(HUMAN, train=(10, 897), train_dev=(15, 250), dev=(32, 400))
    assert diagnose(known).as_json() == diagnose(known).as_json()


def test_three_equal_seeds_say_what_one_says() -> None:
    generator = np.random.default_rng(0)
    errors = {s: generator.random(400) < p for s, p in {"train": 0.01, "dev": 0.2}.items()}
    tables = [table(split, values) for split, values in errors.items()]
    one = diagnose(from_memory({"a": tables}, human=(HUMAN,)))
    three = diagnose(from_memory(dict.fromkeys("abc", tables), human=(HUMAN,)))
    assert three.extra["speaks_of"] == "the pipeline"
    assert one.extra["speaks_of"] == "this run"
    assert three.extra["few_seeds"]
    for ours, theirs in zip(one.gaps, three.gaps, strict=True):
        assert ours.gap == pytest.approx(theirs.gap)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_seeds_that_differ_widen_the_interval() -> None:
    """Dev errors of 5, 20 and 35 % with 4,000 examples: the seeds, not the examples, decide."""
    generator = np.random.default_rng(0)
    runs = {
        name: [table("train", np.zeros(4000)), table("dev", generator.random(4000) < rate)]
        for name, rate in {"a": 0.05, "b": 0.2, "c": 0.35}.items()
    }
    dev = diagnose(from_memory(runs)).ladder[-1]
    assert dev.low is not None
    assert dev.high is not None
    assert dev.high - dev.low > 0.2
    assert dev.error == pytest.approx(0.2, abs=0.02)


def test_seeds_are_matched_by_example_whatever_the_order() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.random((2, 300)) < 0.3
    order = generator.permutation(300)
    moved = table("dev", second)
    moved = replace(moved, example_id=moved.example_id[order], error=moved.error[order])
    straight = diagnose(from_memory({"a": [table("dev", first)], "b": [table("dev", second)]}))
    shuffled = diagnose(from_memory({"a": [table("dev", first)], "b": [moved]}))
    assert straight.as_json()["ladder"] == shuffled.as_json()["ladder"]


def test_seeds_on_other_examples_are_refused_with_counts() -> None:
    other = replace(
        table("dev", np.zeros(50)), example_id=np.array([f"{i:05d}" for i in range(20, 70)])
    )
    with pytest.raises(DataError, match=r"dev examples: 30 of 50 and 50 are shared"):
        diagnose(from_memory({"a": [table("dev", np.zeros(50))], "b": [other]}))


def test_groups_widen_and_one_group_has_no_interval() -> None:
    errors = np.repeat([0.0, 1.0, 0.0, 0.0, 1.0, 0.0], 50)
    groups = np.repeat([f"video {i}" for i in range(6)], 50)
    alone = diagnose(from_memory({"a": [table("dev", errors)]})).ladder[-1]
    grouped = diagnose(from_memory({"a": [table("dev", errors, group=groups)]}))
    assert alone.low is not None
    assert grouped.ladder[-1].low is not None
    assert grouped.ladder[-1].low < alone.low - 0.1
    assert "6 groups" in finding(grouped, "small-samples")
    single = diagnose(from_memory({"a": [table("dev", errors, group=np.full(300, "v"))]}))
    assert (single.ladder[-1].low, single.gaps[-1].low) == (None, None)
    assert "one group" in single.ladder[-1].why


def test_examples_without_a_group_stand_alone() -> None:
    errors = np.random.default_rng(0).random(200) < 0.3
    with_ = diagnose(from_memory({"a": [table("dev", errors, group=np.full(200, ""))]}))
    without = diagnose(from_memory({"a": [table("dev", errors)]}))
    assert with_.ladder == without.ladder


def test_weights_move_the_rung() -> None:
    errors = np.array([1.0, 0.0, 0.0, 0.0])
    weighted = table("dev", np.tile(errors, 20), weight=np.tile([3.0, 1.0, 1.0, 1.0], 20))
    assert diagnose(from_memory({"a": [weighted]})).ladder[-1].error == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("error", float("nan"), "row 3: error is nan"),
        ("error", 1.5, "row 3: error is 1.5"),
        ("weight", -1.0, "row 3: weight is -1.0"),
        ("weight", float("inf"), "row 3: weight is inf"),
    ],
)
def test_wrong_numbers_are_named(column: str, value: float, words: str) -> None:
    values = np.ones(5)
    values[2] = value
    columns = {"error": np.ones(5), column: values}
    with pytest.raises(DataError, match=words):
        from_memory({"a": [table("dev", columns.pop("error"), **columns)]})


def test_all_weights_zero_is_an_error() -> None:
    with pytest.raises(DataError, match="all weights are 0"):
        from_memory({"a": [table("dev", np.zeros(3), weight=np.zeros(3))]})


def test_nothing_to_diagnose_is_an_error() -> None:
    with pytest.raises(DataError, match="no predictions"):
        diagnose(evidence(test=(1, 10)))


def test_d14_empty_train_dev_is_named_and_left_out() -> None:
    tables = [
        table("train", np.zeros(40)),
        table("train_dev", np.zeros(0)),
        table("dev", np.ones(40)),
    ]
    diagnosis = diagnose(from_memory({"a": tables}))
    assert [rung.rung for rung in diagnosis.ladder] == ["train", "dev"]
    assert "no train-dev" in finding(diagnosis, "missing-rungs")


def test_d14_t10_class_missing_in_dev_is_not_defined() -> None:
    target = np.repeat([0, 1, 2], 20)
    train = table("train", np.zeros(60), target=target)
    dev = table("dev", np.zeros(40), target=target[:40])
    tables = [replace(t, classes=("ant", "bee", "cat")) for t in (train, dev)]
    known = from_memory({"a": tables})
    assert set(known.splits["dev"][0].by_class) == {"ant", "bee"}
    says = finding(diagnose(known), "missing-classes")
    assert "Dev has no example of class cat" in says
    assert "not defined" in says


def test_small_rungs_are_marked() -> None:
    diagnosis = diagnose(evidence(HUMAN, train=(1, 100), train_dev=(1, 29), dev=(1, 30)))
    assert "Train-dev has 29 examples only" in finding(diagnosis, "small-samples")
    assert "Dev has" not in finding(diagnosis, "small-samples")


def test_gap_intervals_cover() -> None:
    """The intervals hold the truth in 92.5 to 97.5 % of 600 ladders (95 % ± 2.8 σ)."""
    generator = np.random.default_rng(8)
    truth = {"train": 0.05, "train_dev": 0.12, "dev": 0.2}
    sizes = {"train": 800, "train_dev": 250, "dev": 400}
    held, rounds = np.zeros(2), 600
    for seed in range(rounds):
        splits = {s: (int(generator.binomial(sizes[s], truth[s])), sizes[s]) for s in truth}
        steps = rungs(evidence(**splits), False, np.random.default_rng(seed))
        chain = links(steps.keys(), False)
        posteriors = {name: step.posterior for name, step in steps.items()}
        draws = {name: p.draw(1.0, generator) for name, p in posteriors.items()}
        sampled = gap_draws(chain, draws, posteriors)[:, 1:]
        values = np.array([0.12 - splits["train"][0] / 800, 0.2 - 0.12])
        low, high = np.quantile(sampled, (0.025, 0.975), axis=0)
        held += (low <= values) & (values <= high)
    assert (held / rounds > 0.925).all()
    assert (held / rounds < 0.975).all()


def test_a_combined_gap_is_several_gaps_and_says_what_tells_them_apart() -> None:
    says = finding(diagnose(evidence(dev=(300, 2000))), "high-gaps")
    assert says.startswith("Bias, variance and data mismatch together are high: ")
    assert "train-dev examples would tell variance and data mismatch apart" in says
    won = diagnose(evidence(HUMAN, train=(20, 2000), dev=(300, 2000)))
    says = finding(won, "verdict")
    assert says.startswith("Variance and data mismatch together are the largest gap: ")
    assert "train-dev examples would tell variance and data mismatch apart" in says


def test_a_single_gap_has_nothing_to_tell_apart() -> None:
    says = finding(
        diagnose(evidence(HUMAN, train=(20, 2000), train_dev=(20, 2000), dev=(300, 2000))),
        "verdict",
    )
    assert says.startswith("Data mismatch is the largest gap: ")
    assert "apart" not in says


def test_a_rung_of_one_group_is_named_as_what_is_lacking() -> None:
    errors = np.repeat([0.0, 1.0], [80, 20])
    train, train_dev = table("train", errors), table("train_dev", errors)
    dev = table("dev", errors, group=np.full(100, "one"))
    found = diagnose(from_memory({"r": [train, train_dev, dev]}, human=(HumanLevel(error=0.19),)))
    assert found.needs is not None
    assert (found.needs["rung"], found.needs["n"]) == ("dev", None)
    assert "one group, which gives no interval" in found.needs["why"]
    assert "nearly equal" not in found.needs["why"]
