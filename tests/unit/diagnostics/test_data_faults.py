"""Faults of the data are read from predictions, and told before every gap."""

from pathlib import Path

import numpy as np
import pytest

from gapwise.diagnostics import evidence
from gapwise.diagnostics.ladder import diagnose
from gapwise.records import ALSO_IN_TRAIN, Diagnosis, Finding, Predictions
from gapwise.tracking import predictions as tables

K = 10
CLASSES = tuple("abcdefghij")


def made(split: str, n: int = 600, noise: float = 0.0, leaked: int = 0) -> Predictions:
    """A network that is right on all but the wrong labels, and sure."""
    generator = np.random.default_rng(len(split))
    true = generator.integers(0, K, n)
    wrong = generator.random(n) < noise
    target = np.where(wrong, (true + generator.integers(1, K, n)) % K, true)
    scores = generator.dirichlet(np.full(K, 0.2), n) * 0.1
    scores[np.arange(n), true] += generator.uniform(0.85, 0.95, n)
    marks = np.array(["equal", "nearly"] * n)[:n]
    marks[leaked:] = ""
    return Predictions(
        split=split,
        example_id=np.array([f"{split}{i}" for i in range(n)]),
        target=target,
        predicted=true,
        error=wrong.astype(float),
        weight=np.ones(n),
        classes=CLASSES,
        scores=(scores / scores.sum(axis=1, keepdims=True)).astype(np.float32),
        metadata={ALSO_IN_TRAIN: marks} if leaked else {},
    )


def diagnosed(tmp_path: Path, *runs: Predictions, **known: object) -> Diagnosis:
    """Return what files say, which is what memory says."""
    for table in runs:
        tables.write(tmp_path / f"{table.split}.parquet", table)
    paths = {table.split: [tmp_path / f"{table.split}.parquet"] for table in runs}
    stored = evidence.read(run_ids=("r",), paths=paths, **known)
    held = evidence.from_memory({"r": runs}, **known)
    assert (stored.leaks, stored.disputed) == (held.leaks, held.disputed)
    return diagnose(stored)


def named(diagnosis: Diagnosis, name: str) -> list[Finding]:
    return [finding for finding in diagnosis.findings if finding.diagnostic == name]


def test_wrong_labels_of_dev_come_before_the_gap_that_they_make(tmp_path: Path) -> None:
    dev = made("dev", noise=0.2)
    found = diagnosed(tmp_path, made("train"), made("train_dev"), dev)
    assert found.verdict == "data_mismatch"
    first = found.findings[0]
    assert (first.diagnostic, first.evidence["split"]) == ("label-noise", "dev")
    assert 0.5 * dev.error.mean() < first.evidence["share"] <= dev.error.mean()
    assert "dev labels or more are probably wrong" in first.says
    (knob,) = first.knobs
    assert (knob.id, knob.bound) == ("fix-the-labels-that-are-disputed", "the disputed labels")
    assert first.evidence["share"] <= knob.at_most <= dev.error.mean()


def test_right_labels_are_not_disputed(tmp_path: Path) -> None:
    found = diagnosed(tmp_path, made("train"), made("dev", noise=0.005))
    assert not named(found, "label-noise")
    assert not named(found, "leaks")


def test_a_leak_comes_first_and_says_what_it_hides(tmp_path: Path) -> None:
    pipeline = {"name": "p", "data": {"duplicates": "allow"}}
    dev = made("dev", noise=0.2, leaked=100)
    found = diagnosed(tmp_path, made("train"), dev, pipeline=pipeline)
    first = found.findings[0]
    assert first.diagnostic == "leaks"
    assert (first.evidence["equal"], first.evidence["nearly"]) == (50, 50)
    assert first.evidence["error_seen"] == pytest.approx(float(dev.error[:100].mean()))
    assert "100 of 600 dev examples (16.7 %) stand in train too" in first.says
    assert first.knobs[0].change == {"data.duplicates": "drop"}
    assert first.knobs[0].at_most is None


def test_a_leak_of_test_is_told_with_test_alone(tmp_path: Path) -> None:
    tables_of_run = (made("train"), made("dev"), made("test", leaked=3))
    assert not named(diagnosed(tmp_path, *tables_of_run), "leaks")
    held = evidence.from_memory({"r": tables_of_run})
    (leak,) = named(diagnose(held, test=True), "leaks")
    assert leak.severity < 0.7
    assert leak.knobs == ()


def test_scores_that_are_no_matrix_are_left_alone(tmp_path: Path) -> None:
    plain = made("dev")
    tables.write(tmp_path / "dev.parquet", Predictions(**(vars(plain) | {"scores": None})))
    found = evidence.read(run_ids=("r",), paths={"dev": [tmp_path / "dev.parquet"]})
    assert found.disputed == {}
