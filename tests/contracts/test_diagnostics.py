"""What every registered diagnostic must do, on evidence from empty to odd."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from gapwise.diagnostics.evidence import Evidence, from_memory
from gapwise.diagnostics.findings.base import DIAGNOSTICS
from gapwise.diagnostics.ladder import diagnose
from gapwise.records import Diagnosis, Finding, HumanLevel, Predictions, plain


def predictions(split: str, n: int = 60, error: float | None = None, **columns: Any) -> Predictions:
    generator = np.random.default_rng(len(split))
    target = generator.integers(0, columns.pop("of", 3), n)
    wrong = generator.random(n) < 0.2 if error is None else np.full(n, error > 0)
    errors = wrong.astype(float) if error in (None, 0.0, 1.0) else np.full(n, error)
    values: dict[str, Any] = {
        "split": split,
        "example_id": np.array([f"{split}-{i}" for i in range(n)]),
        "target": target,
        "predicted": (target + wrong) % 3,
        "error": errors,
        "weight": np.ones(n),
        "classes": ("a", "b", "<script>alert(1)</script>\n"),
    }
    return Predictions(**(values | columns))


SPLITS = ("train", "train_dev", "dev", "test")
GROUPS = np.array([f"person {i % 7}" for i in range(60)])
CASES: dict[str, Evidence] = {
    "plain": from_memory({"r": [predictions(s) for s in SPLITS]}),
    "one example": from_memory({"r": [predictions(s, 1) for s in SPLITS]}),
    "one class": from_memory({"r": [predictions(s, of=1) for s in SPLITS]}),
    "all right": from_memory({"r": [predictions(s, error=0.0) for s in SPLITS]}),
    "all wrong": from_memory({"r": [predictions(s, error=1.0) for s in SPLITS]}),
    "half errors": from_memory({"r": [predictions(s, error=0.5) for s in SPLITS]}),
    "scores of NaN": from_memory(
        {"r": [predictions(s, scores=np.full((60, 3), np.nan, np.float32)) for s in SPLITS]}
    ),
    "weights": from_memory({"r": [predictions(s, weight=np.linspace(0, 3, 60)) for s in SPLITS]}),
    "groups": from_memory({"r": [predictions(s, group=GROUPS) for s in SPLITS]}),
    "one group": from_memory({"r": [predictions(s, group=np.full(60, "g")) for s in SPLITS]}),
    "three seeds": from_memory({r: [predictions(s) for s in SPLITS] for r in "abc"}),
    "three seeds of one example": from_memory(
        {r: [predictions(s, 1, error=float(r == "a")) for s in SPLITS] for r in "abc"}
    ),
    "all right in groups, seeds": from_memory(
        {r: [predictions(s, error=0.0, group=GROUPS) for s in SPLITS] for r in "ab"}
    ),
    "dev alone": from_memory({"r": [predictions("dev")]}),
    "everything known": from_memory(
        {"r": [predictions(s, source=GROUPS) for s in SPLITS]},
        human=(
            HumanLevel(error=0.01, n=50),
            HumanLevel(error=0.3),
            HumanLevel(error=0.1, n=500, distribution="target"),
        ),
        quarantined=3,
        looks=2,
        notes=("Writers are not recorded.",),
        pipeline={"name": "p", "splits": {"target": "phone"}, "network": {"name": "resnet20"}},
    ),
}


@cache
def diagnosed(case: str, test: bool = False) -> Diagnosis:
    return diagnose(CASES[case], test=test)


@pytest.mark.parametrize("test", [False, True], ids=["no test", "test"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_diagnosis_is_one_valid_document(case: str, test: bool) -> None:
    document = json.loads(json.dumps(diagnosed(case, test).as_json(), allow_nan=False))
    assert {"run_id", "label_revision", "ladder", "gaps", "verdict", "decided", "findings"} <= set(
        document
    )
    for rung in document["ladder"]:
        assert rung["rung"] != "test" or test
        assert 0 <= rung["error"] <= 1
        if rung["low"] is None:
            assert rung["why"]
        else:
            assert 0 <= rung["low"] <= rung["error"] <= rung["high"] <= 1
            assert rung["low"] < rung["high"]
    for gap in document["gaps"]:
        assert 0 <= gap["probability_largest"] <= 1
        if gap["low"] is not None:
            assert gap["low"] <= gap["gap"] <= gap["high"]
    assert sum(gap["probability_largest"] for gap in document["gaps"]) == pytest.approx(1)
    assert document["decided"] == (document["verdict"] != "undecided")
    assert ("needs" in document) == (not document["decided"])
    if not document["decided"]:
        assert {"rung", "n"} <= set(document["needs"])


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("name", DIAGNOSTICS.names())
def test_a_diagnostic_is_a_pure_function_to_findings(name: str, case: str) -> None:
    diagnosis, diagnostic = diagnosed(case), DIAGNOSTICS.get(name)
    found = diagnostic(CASES[case], diagnosis)
    assert plain([vars(f) for f in found]) == plain(
        [vars(f) for f in diagnostic(CASES[case], diagnosis)]
    )
    for finding in found:
        assert isinstance(finding, Finding)
        assert finding.diagnostic == name
        assert 0 <= finding.severity <= 1
        assert finding.says == finding.says.strip()
        assert finding.says.isprintable()
        assert finding.says.endswith(".")
        json.dumps(plain(finding.evidence), allow_nan=False)


def test_every_case_finds_at_least_the_verdict() -> None:
    for case in CASES:
        assert "verdict" in {finding.diagnostic for finding in diagnosed(case).findings}
