"""Ladders by class and by source, and human levels by name."""

import numpy as np
import pytest

from gapwise.diagnostics.evidence import Evidence, from_memory
from gapwise.diagnostics.ladder import diagnose
from gapwise.diagnostics.parted import parted, rows
from gapwise.records import HumanLevel, Predictions


def split(name: str, source: list[str], target: list[int], wrong: list[int]) -> Predictions:
    n = len(source)
    error = np.zeros(n)
    error[wrong] = 1
    return Predictions(
        split=name,
        example_id=np.array([f"{name}{i}" for i in range(n)]),
        target=np.array(target),
        predicted=np.where(error > 0, 1 - np.array(target), target),
        error=error,
        weight=np.ones(n),
        classes=("no", "yes"),
        source=np.array(source),
    )


@pytest.fixture
def evidence() -> Evidence:
    train = split("train", ["web"] * 80, [0] * 80, [1])
    dev = split("dev", ["web"] * 40 + ["phone"] * 20, [0] * 40 + [1] * 20, list(range(40, 55)))
    return from_memory({"run": [train, dev]})


def test_each_source_and_class_has_its_own_ladder(evidence: Evidence) -> None:
    phone, web = parted(evidence, "source")
    assert (phone.part, web.part) == ("phone", "web")
    train, dev = phone.rungs
    assert (train.n, train.why) == (0, "no example: undefined")
    assert (dev.error, dev.n, dev.why) == (0.75, 20, "only 20 examples")
    assert dev.low is not None
    assert dev.low < 0.75 < (dev.high or 0)
    assert web.step == pytest.approx(-1 / 80)
    assert phone.step is None
    yes, no = parted(evidence, "class")
    assert (yes.part, yes.rungs[1].error, no.rungs[1].error) == ("yes", 0.75, 0.0)
    document = rows(parted(evidence, "class"))
    assert document[0]["ladder"][0]["error"] is None  # type: ignore[index]


def test_the_people_of_the_notes_and_which_of_them_stand_for_bayes_error() -> None:
    # Notes 4.7: typical 3 %, a doctor 1 %, an experienced one 0.7 %, a team 0.5 %.
    levels = [
        HumanLevel(error=error, n=1000, name=name)
        for name, error in (("typical", 0.03), ("doctor", 0.01), ("expert", 0.007), ("team", 0.005))
    ]
    train = split("train", ["web"] * 1000, [0] * 1000, list(range(50)))
    dev = split("dev", ["web"] * 1000, [0] * 1000, list(range(60)))
    found = diagnose(from_memory({"run": [train, dev]}, human=tuple(levels)))
    assert found.ladder[0].error == 0.005
    told = {one["name"]: one for one in found.extra["human_levels"]}
    assert [name for name, one in told.items() if one["is_proxy"]] == ["team"]
    assert told["team"]["low"] < 0.005 < told["team"]["high"]
    assert found.extra["raw_bias"]["gap"] == 0.05
    (says,) = [f.says for f in found.findings if f.diagnostic == "human-level"]
    assert "The human level team (0.5 %, n = 1,000) stands for Bayes error" in says
    assert "a little optimistic" in says


def test_a_lower_level_on_too_few_examples_is_passed_over_and_said() -> None:
    levels = (HumanLevel(error=0.01, n=20, name="team"), HumanLevel(error=0.03, n=200))
    train = split("train", ["web"] * 100, [0] * 100, [1])
    found = diagnose(from_memory({"run": [train]}, human=levels))
    says = " ".join(f.says for f in found.findings)
    assert "The human level team (1.0 %, n = 20) is lower, but rests on too few examples." in says
