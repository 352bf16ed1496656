"""A decoder that crashes, hangs or needs too much memory costs its image alone (FAULTS I8)."""

import io
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from gapwise.data import decoding
from gapwise.data.decoding import Task, decoded
from gapwise.data.images import BadImageError, Limits
from gapwise.data.store import Shape, decode_all
from gapwise.errors import StorageError

ODD = """
import os, sys, time
from gapwise.data import decoder
real = decoder.decode
def decode(content, *shape):
    if b"CRASH" in content:
        os.abort()
    if b"HANG" in content:
        time.sleep(60)
    if b"GREEDY" in content:
        bytearray(64 * 2**30)
    return real(content, *shape)
decoder.decode = decode
decoder.main(int(sys.argv[1]))
"""
"""A decoder that can be made to fail by what stands in an image."""

Write = Callable[[str], Task]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def picture(name: str, odd: str = "") -> Task:
        stream = io.BytesIO()
        value = sum(map(ord, name)) % 250
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(stream, "PNG")
        content = stream.getvalue() + (name.split("-")[0].encode() if name.isupper() else b"")
        (tmp_path / f"{name}.png").write_bytes(content)
        return Task(tmp_path / f"{name}.png", sha256(content).hexdigest(), (1, 8, 8))

    return picture


@pytest.fixture
def _odd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "PROGRAM", [sys.executable, "-c", ODD])
    monkeypatch.setattr(decoding, "PATIENCE", 1.0)


def outcomes(pieces: list[list[Task]], threads: int = 4) -> list[str]:
    """Return the value of each good image's pixels, or what is wrong with it."""
    return [
        str(one) if isinstance(one, BadImageError) else str(int(one[0, 0, 0]))
        for one in decoded(iter(pieces), threads)
    ]


def value(task: Task) -> str:
    return str(sum(map(ord, task.path.stem)) % 250)


@pytest.mark.usefixtures("_odd")
def test_i8_images_that_crash_or_hang_the_decoder_are_set_aside_alone(write: Write) -> None:
    names = ["a", "CRASH-1", "b", "HANG-1", "c", "CRASH-2", "d"]
    first, second = [write(name) for name in names], [write(name) for name in "efg"]
    before = set(psutil.Process().children())
    found = outcomes([first, second])
    said = {"CRASH-1": "crashes its decoder", "CRASH-2": "crashes its decoder",
            "HANG-1": "was not decoded within 1 s"}  # fmt: skip
    assert found == [said.get(task.path.stem, value(task)) for task in [*first, *second]]
    assert set(psutil.Process().children()) <= before


@pytest.mark.usefixtures("_odd")
def test_i8_an_image_that_wants_too_much_memory_is_set_aside(write: Write) -> None:
    found = outcomes([[write("a"), write("GREEDY-1"), write("b")]])
    assert found[0], found[2] == (value(write("a")), value(write("b")))
    assert "crashes its decoder" in found[1]


@pytest.mark.usefixtures("_odd")
def test_i8_they_are_quarantined_with_their_reason(write: Write, tmp_path: Path) -> None:
    paths = [write(name).path.name for name in ("a", "CRASH-1", "b")]
    found = decode_all(tmp_path, paths, tmp_path / "cache", Shape(), Limits())
    assert found.kept.tolist() == [0, 2]
    (bad,) = found.quarantine
    assert (bad.item, bad.code, bad.reason) == ("CRASH-1.png", "decoder", "crashes its decoder")
    again = decode_all(tmp_path, paths, tmp_path / "cache", Shape(), Limits())
    assert again.quarantine == found.quarantine  # told from the store, not tried again


def test_many_pieces_come_in_order(write: Write) -> None:
    tasks = [write(f"{n:03d}") for n in range(300)]
    pieces = [tasks[start : start + 77] for start in range(0, 300, 77)]
    assert outcomes(pieces) == [value(task) for task in tasks]


def test_a_decoder_that_cannot_be_started_is_said(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "PROGRAM", [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(StorageError, match="cannot be started"):
        outcomes([[write("a")]])


def test_names_of_any_bytes_are_decoded(write: Write, tmp_path: Path) -> None:
    task = write("a")
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \xff.png"))
    odd.write_bytes(task.path.read_bytes())
    assert outcomes([[task._replace(path=odd)]]) == [value(task)]
