"""The prepared folder: what is written is read, whole or not at all."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from gapwise.data import prepared
from gapwise.data.assignment import Assignment, digest_of
from gapwise.data.normalisation import mean_and_deviation
from gapwise.errors import DataError, StorageError
from gapwise.records import ExampleSet, Quarantined


def made(count=12):
    random = np.random.default_rng(0)
    return ExampleSet(
        name="made",
        inputs=random.integers(0, 256, (count, 3, 4, 5), dtype=np.uint8),
        targets=np.arange(count) % 2,
        classes=("yes", "no"),
        ids=np.array([f"é/{i}" for i in range(count)]),
        sources=np.array(["a", "b"])[np.arange(count) % 2],
        groups=np.array([f"g{i // 2}" for i in range(count)]),
        weights=np.linspace(1, 2, count),
        metadata={"annotator": np.array(["x", "y"])[np.arange(count) % 2]},
        media=np.array([f"{i}.png" for i in range(count)]),
        quarantine=(Quarantined(item="z", code="truncated", reason="cut"),),
        notes=("A note.",),
    )


def drawn(examples):
    split = np.array(["train", "train", "train", "train_dev", "dev", "test"] * 10)
    split = split[: len(examples)]
    return Assignment(split=split, cuts={}, digest=digest_of(examples.ids, split), notes=("B.",))


def test_everything_comes_back(tmp_path):
    examples = made()
    written = prepared.write(tmp_path / "p", examples, drawn(examples))
    found = prepared.open(tmp_path / "p")
    for name in ("inputs", "targets", "ids", "sources", "groups", "weights", "media"):
        assert np.array_equal(getattr(found, name), getattr(examples, name)), name
    assert np.array_equal(found.metadata["annotator"], examples.metadata["annotator"])
    assert isinstance(found.inputs, np.memmap)
    assert found.digest == written.digest == prepared.digest_of(examples, drawn(examples))
    assert found.notes == ("A note.", "B.")
    assert found.quarantine == examples.quarantine
    assert found.input_shape == (3, 4, 5)
    assert found.indices("train_dev").tolist() == [3, 9]
    assert found.picture("é/2").shape == (4, 5, 3)


def test_digest_tells_content_apart_but_not_places():
    examples = made()
    first = prepared.digest_of(examples, drawn(examples))
    inputs = examples.inputs.copy()
    inputs[3, 0, 0, 0] ^= 1
    assert prepared.digest_of(replace(examples, inputs=inputs), drawn(examples)) != first
    assert prepared.digest_of(replace(examples, media_root="/elsewhere"), drawn(examples)) == first


def test_normalisation_is_that_of_train_alone(tmp_path):
    examples = made()
    found = prepared.write(tmp_path / "p", examples, drawn(examples))
    train = examples.inputs[found.indices("train")].astype(float)
    mean, deviation = found.normalisation
    assert mean == pytest.approx(train.mean(axis=(0, 2, 3)))
    assert deviation == pytest.approx(train.std(axis=(0, 2, 3)))


def test_normalisation_in_pieces_equals_that_of_the_whole(monkeypatch):
    rows = np.random.default_rng(0).normal(1e4, 1.0, (1000, 3)).astype(np.float32)
    rows[:, 1] = 7.25
    rows[:, 2] = np.arange(1000) % 2
    monkeypatch.setattr("gapwise.data.pieces.PIECE_BYTES", 100 * 24)
    mean, deviation = mean_and_deviation(rows, np.arange(1000))
    whole = rows.astype(np.float64)
    assert mean[0] == pytest.approx(whole[:, 0].mean(), rel=1e-12)
    assert deviation[0] == pytest.approx(whole[:, 0].std(), rel=1e-9)
    assert (mean[1], deviation[1]) == (7.25, 1.0)
    assert (mean[2], deviation[2]) == (0.0, 1.0)


def test_normalisation_of_nobody_is_harmless():
    mean, deviation = mean_and_deviation(np.ones((3, 2), np.float32), np.array([], dtype=np.int64))
    assert np.isfinite(mean).all()
    assert deviation.tolist() == [1.0, 1.0]


def test_damage_is_named(tmp_path):
    prepared.write(tmp_path / "p", made(), drawn(made()))
    inputs = tmp_path / "p" / "inputs.npy"
    inputs.write_bytes(inputs.read_bytes()[:-1])
    with pytest.raises(StorageError, match=r"inputs\.npy of another size"):
        prepared.open(tmp_path / "p")
    inputs.unlink()
    with pytest.raises(StorageError, match=r"inputs\.npy is missing"):
        prepared.open(tmp_path / "p")


def test_k6_another_format_is_refused(tmp_path):
    prepared.write(tmp_path / "p", made(), drawn(made()))
    meta = json.loads((tmp_path / "p" / prepared.META).read_text())
    (tmp_path / "p" / prepared.META).write_text(json.dumps(meta | {"format": 99}))
    with pytest.raises(StorageError, match="format 99"):
        prepared.open(tmp_path / "p")


def test_a_full_disk_leaves_nothing_and_is_told(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gapwise.data.pieces.os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        prepared.write(tmp_path / "p", made(), drawn(made()))
    assert list(tmp_path.iterdir()) == []


def test_unknown_split_and_example_are_named(tmp_path):
    found = prepared.write(tmp_path / "p", made(), drawn(made()))
    with pytest.raises(DataError, match="did you mean dev"):
        found.indices("devv")
    with pytest.raises(DataError, match="no example 'nobody'"):
        found.picture("nobody")


def test_training_side_needs_numpy_alone():
    code = (
        "import sys, gapwise.data.prepared; "
        "print([m for m in ('torch','pandas','pyarrow','pydantic','PIL','scipy','sklearn') "
        "if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
