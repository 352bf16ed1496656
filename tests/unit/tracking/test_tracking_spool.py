"""The spool: what is appended is there once, whatever happened to the process or the disk."""

import errno
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapwise.errors import StorageError, UsageError
from gapwise.tracking.spool import Spool, checked_name, history, last_values, points


def test_a_point_keeps_its_first_value_and_time(tmp_path: Path) -> None:
    path = tmp_path / "spool.jsonl"
    spool = Spool(path)
    spool.append({"loss": 1.0, "lr": 0.1}, 1)
    spool.flush()
    before = path.read_bytes()
    spool.append({"loss": 2.0, "lr": 0.2}, 1)
    spool.flush()
    assert path.read_bytes() == before
    spool.append({"loss": 3.0, "error": 0.5}, 1)
    spool.flush()
    assert [(p.metric, p.value) for p in points(path)] == [
        ("loss", 1.0),
        ("lr", 0.1),
        ("error", 0.5),
    ]
    spool.close()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(-3, 12), st.booleans()), max_size=40),
)
def test_appending_is_a_dictionary_that_never_overwrites(
    calls: list[tuple[str, int, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spool.jsonl"
        spool, model = Spool(path), {}
        for number, (name, step, reopens) in enumerate(calls):
            if reopens:
                spool.close()
                spool = Spool(path)
            spool.append({name: float(number)}, step)
            model.setdefault((name, step), float(number))
        spool.close()
        found = [((p.metric, p.step), p.value) for p in points(path)]
        assert len(found) == len(dict(found))
        assert dict(found) == model


@pytest.mark.parametrize("torn", [b"{", b'{"step":2,"ms":5,"metrics":{"loss":0.', b"\xff\xfe"])
def test_a_torn_last_line_is_cut_on_opening(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "spool.jsonl"
    spool = Spool(path)
    spool.append({"loss": 1.0}, 1)
    spool.close()
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert [p.step for p in points(path)] == [1]
    again = Spool(path)
    assert path.read_bytes() == whole
    again.append({"loss": 2.0}, 2)
    again.close()
    assert [p.step for p in points(path)] == [1, 2]


@pytest.mark.parametrize(
    "line",
    ["nonsense", '{"step":1e999,"ms":1,"metrics":{}}', '{"step":1e30,"ms":1,"metrics":{"a":1.0}}'],
)
def test_a_damaged_line_inside_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "spool.jsonl"
    path.write_text(f'{{"step":1,"ms":1,"metrics":{{"a":1.0}}}}\n{line}\n')
    with pytest.raises(StorageError, match=r"spool.jsonl is damaged at byte 38: ") as told:
        list(points(path))
    assert line in str(told.value)


def test_k3_nan_and_inf_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "spool.jsonl"
    spool = Spool(path)
    for step, value in enumerate((math.nan, math.inf, -math.inf, 0.25)):
        spool.append({"loss": value}, step)
    spool.close()
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)  # any JSON reader can read it
    values = [p.value for p in history(path, "loss")]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf, 0.25]
    assert last_values(path) == {"loss": 0.25}


@pytest.mark.parametrize("name", ["", "a//b", "/a", "a/", "..", "a/../b", "a\nb", "ä" * 251, 'a"'])
def test_k4_a_name_that_mlflow_cannot_show_is_refused(tmp_path: Path, name: str) -> None:
    spool = Spool(tmp_path / "spool.jsonl")
    with pytest.raises(UsageError, match="cannot be called"):
        spool.append({name: 1.0}, 1)
    assert (tmp_path / "spool.jsonl").read_bytes() == b""
    spool.close()


@settings(deadline=None)
@given(st.text(max_size=260))
def test_k4_whatever_name_passes_also_passes_mlflow(name: str) -> None:
    from mlflow.utils.validation import _validate_metric_name, _validate_tag_name

    try:
        checked_name(name)
    except UsageError:
        return
    _validate_metric_name(name)
    _validate_tag_name(name)


def test_x2_nothing_counts_after_a_failed_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool.jsonl")
    spool.append({"loss": 1.0}, 1)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(StorageError, match="could not be made durable"):
            spool.sync()
    with pytest.raises(StorageError, match="could not be made durable"):
        spool.sync()
    with pytest.raises(StorageError, match="could not be made durable"):
        spool.append({"loss": 1.0}, 2)


X1 = """
import resource, sys
from pathlib import Path
from gapwise.errors import StorageError
from gapwise.tracking.spool import Spool, points
path = Path(sys.argv[1])
spool = Spool(path)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
failed = 0
for step, limit in enumerate(range(300, 500)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        spool.append({"loss": 0.1, "a longer name": 0.25}, step)
        spool.flush()
    except StorageError as error:
        failed += 1
        assert str(path) in str(error) and "free some space" in str(error), error
    assert path.read_bytes()[-1:] in (b"\\n", b"")
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert failed > 150, failed
spool.append({"loss": 0.1}, step + 1)
spool.close()
assert [p.step for p in points(path) if p.metric == "loss"] == list(range(step + 2))
"""


def test_x1_disk_full_at_every_byte(tmp_path: Path) -> None:
    """The limit is met at each byte of a line: the file stays whole; with space, all comes."""
    command = [sys.executable, "-c", X1, str(tmp_path / "spool.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
