"""The gate over stored runs: references, limits, looks at test, and what a CI reads."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import DataError, UsageError
from gapwise.ledger import looks
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.workflows import junit
from gapwise.workflows.check import CheckRequest, check_run
from gapwise.workflows.record import RecordRequest, record_file

N = 300


def recorded(folder: Path, name: str, wrong: range, *, experiment: str = "gate") -> str:
    """Record a run that errs on the dev and test examples of ``wrong``; return its id."""
    target = np.arange(N) % 2
    predicted = np.where(np.isin(np.arange(N), list(wrong)), 1 - target, target)
    rows = pd.DataFrame({"target": target, "predicted": predicted})
    frames = [
        rows.assign(split=split, example_id=[f"{split}-{i}" for i in range(N)])
        for split in ("dev", "test")
    ]
    path = folder / f"{name}.csv"
    pd.concat(frames).to_csv(path, index=False)
    request = RecordRequest(
        file=path, experiment=experiment, run_name=name, dataset="d", classes=("no", "yes")
    )
    return record_file(request)


@pytest.fixture
def runs(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    errs = {"old": range(30), "alike": range(2, 33), "worse": range(70), "good": range(5)}
    return {name: recorded(tmp_path, name, wrong) for name, wrong in errs.items()}


@pytest.mark.parametrize(
    ("run", "against", "outcome", "passed", "strictly"),
    [
        ("good", "old", "holds", True, True),
        ("alike", "old", "undecided", True, False),
        ("worse", "old", "fails", False, False),
        ("old", "old", "holds", True, True),
        ("old", "best", "fails", False, False),
        ("good", "best", "holds", True, True),
    ],
)
def test_undecided_passes_unless_it_must_not(
    runs: dict[str, str], run: str, against: str, outcome: str, passed: bool, strictly: bool
) -> None:
    found = check_run(CheckRequest(run=run, against=against))
    assert found.rules[0][0].outcome == outcome
    assert found.passed is passed
    strict = check_run(CheckRequest(run=run, against=against, undecided="fail"))
    assert strict.passed is strictly


def test_best_is_the_best_other_run_of_the_experiment(runs: dict[str, str], tmp_path: Path) -> None:
    assert check_run(CheckRequest(run="worse", against="best")).against == runs["good"]
    assert check_run(CheckRequest(run="good", against="best")).against == runs["old"]
    recorded(tmp_path, "first", range(9), experiment="new")
    first = check_run(CheckRequest(run="first", against="best"))
    assert (first.against, first.passed) == (None, True)
    assert "first finished run of new" in first.rules[0][0].says


def test_limits_are_judged_with_the_interval_of_the_error(runs: dict[str, str]) -> None:
    request = CheckRequest(
        run="old", against="old", limits=("error<=0.2", "dev/error<=0.11", "error<=0.01")
    )
    found = check_run(request)
    assert [rule.outcome for rule, _ in found.rules] == ["holds", "holds", "undecided", "fails"]
    assert not found.passed
    wilson = found.rules[1][0].evidence
    assert (wilson["low"], wilson["high"]) == pytest.approx((0.0709, 0.1391), abs=1e-4)


def test_a_look_at_test_is_counted_once(runs: dict[str, str]) -> None:
    ledger = Ledger(Settings.read().ledger_url)
    for against, count in (("old", 1), ("good", 2)):
        request = CheckRequest(run="old", against=against, split="test", limits=("error<=1",))
        check_run(request)
        assert looks.count(ledger, "d") == count


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"limits": ("dev/eror<=1",)}, UsageError, "did you mean dev/error"),
        ({"limits": ("test/error<=1",)}, UsageError, "has no metric 'test/error'"),
        ({"split": "dve"}, UsageError, "did you mean dev"),
        ({"split": "train"}, DataError, "has no predictions of 'train'"),
        ({"margin": 1.0}, UsageError, "for one point write 0.01"),
        ({"undecided": "maybe"}, UsageError, "pass or fail"),
        ({"against": "odl"}, UsageError, "did you mean old"),
    ],
)
def test_what_cannot_be_checked_is_told(
    runs: dict[str, str], changes: dict[str, object], error: type[Exception], says: str
) -> None:
    wanted = {"run": "worse", "against": "old"} | changes
    with pytest.raises(error, match=says):
        check_run(CheckRequest(**wanted))  # type: ignore[arg-type]


def test_the_junit_file_has_a_case_a_rule(runs: dict[str, str]) -> None:
    request = CheckRequest(run="worse", against="old", limits=("error<=0.5", "dev/error<=0.23"))
    root = ET.fromstring(junit.as_xml(check_run(request)))
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    counts = {"tests": "3", "failures": "1", "errors": "0"}
    assert counts.items() <= root.attrib.items()
    assert counts.items() <= suite.attrib.items()
    cases = list(suite)
    assert [case.tag for case in cases] == ["testcase"] * 3
    assert all({"name", "classname", "time"} == set(case.attrib) for case in cases)
    assert [[part.tag for part in case] for case in cases] == [
        ["failure", "system-out"],
        ["system-out"],
        ["system-out"],
    ]
    assert set(cases[0][0].attrib) == {"message", "type"}
    assert cases[2][0].text is not None
    assert cases[2][0].text.startswith("undecided: ")


def test_names_that_xml_cannot_hold_are_mended(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    recorded(tmp_path, "odd", range(9), experiment="<a> & \x08")
    suite = ET.fromstring(junit.as_xml(check_run(CheckRequest(run="odd", against="best"))))[0]
    assert suite[0].get("classname") == "gapwise.<a> & �"


def test_the_command_exits_1_and_writes_all_the_same(runs: dict[str, str], tmp_path: Path) -> None:
    report = tmp_path / "reports" / "gate.xml"
    words = ["check", "worse", "--against", "best", "--junit", str(report), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert document["passed"] is False
    assert document["comparison"]["verdict"] == "b"
    assert ET.parse(report).getroot().get("failures") == "1"
    fine = CliRunner().invoke(app, ["check", "good", "--against", "best"])
    assert fine.exit_code == 0
    assert "good passes." in fine.stdout
