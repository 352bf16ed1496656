"""A flipped bit in any stored file of prepared data is found before it trains anybody."""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from gapwise.data import prepared
from gapwise.data.assignment import Assignment, digest_of
from gapwise.errors import StorageError
from gapwise.records import ExampleSet
from gapwise.seal import holds, sealed

FLIPS = 400


def examples() -> ExampleSet:
    draw = np.random.default_rng(0)
    n = 24
    return ExampleSet(
        name="made",
        inputs=draw.integers(0, 256, (n, 1, 4, 5), dtype=np.uint8),
        targets=np.arange(n, dtype=np.int64) % 3,
        classes=("a", "b", "c"),
        ids=np.array([f"e{i}" for i in range(n)]),
        sources=np.full(n, "s"),
        groups=np.array([f"g{i // 2}" for i in range(n)]),
        weights=draw.random(n),
        metadata={"size": draw.random(n), "light": np.array(["day", "dusk"] * (n // 2))},
        notes=("One note.",),
    )


def drawn(one: ExampleSet) -> Assignment:
    split = np.array(["train"] * 16 + ["dev"] * 8)
    return Assignment(split=split, cuts={}, digest=digest_of(one.ids, split))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepared.write(tmp_path / "whole", examples(), drawn(examples()))
    return tmp_path / "whole"


def test_what_is_whole_is_opened_again(folder: Path) -> None:
    again = prepared.write(folder, examples(), drawn(examples()))
    again.check()
    assert again.digest == prepared.open(folder).digest


def same(path: Path, other: Path) -> bool:
    if path.name == prepared.META:
        return bool(json.loads(path.read_text()) == json.loads(other.read_text()))
    one, two = np.load(path), np.load(other)
    return bool(one.dtype == two.dtype and np.array_equal(one, two))


def test_any_flipped_bit_is_found(folder: Path, tmp_path: Path) -> None:
    draw = random.Random(0)
    files = sorted(path.name for path in folder.iterdir())
    assert {"inputs.npy", "targets.npy", "split.npy", "metadata-1.npy", prepared.META} <= set(files)
    unread = 0
    for flip in range(FLIPS):
        broken = tmp_path / "broken"
        shutil.copytree(folder, broken)
        path = broken / files[flip % len(files)]
        content = bytearray(path.read_bytes())
        place = draw.randrange(8 * len(content))
        content[place // 8] ^= 1 << place % 8
        path.write_bytes(content)
        try:
            with pytest.raises(StorageError, match="prepared data"):
                prepared.write(broken, examples(), drawn(examples()))
        except pytest.fail.Exception:
            # A space that became a tab, or "<f8" that became "=f8", reads as it did.
            assert same(path, folder / path.name), (path.name, place)
            unread += 1
        shutil.rmtree(broken)
    assert unread < FLIPS / 20


def test_a_seal_holds_over_every_value() -> None:
    document = {"a": [1, 2.5, "x"], "b": {"c": None}}
    assert holds(sealed(document))
    assert not holds(sealed(document) | {"a": [1, 2.5, "y"]})
    assert holds(document)  # of an earlier version, which had no seal


def test_a_machine_that_cannot_read_accuses_no_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more_files(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    whole = prepared.open(folder)
    monkeypatch.setattr(np, "load", no_more_files)
    with pytest.raises(OSError, match="Too many open files"):
        whole.check()
