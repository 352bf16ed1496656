"""Readers under coverage-guided fuzzing: no traceback, no hang, bounded memory (FAULTS Y10)."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("fuzz_program.py")
READERS = ("pipeline", "predictions", "labels", "studio", "points", "manifest", "idx")
SECONDS = 60


@pytest.mark.faults
@pytest.mark.parametrize("reader", READERS)
def test_y10_whatever_is_read_is_a_value_or_a_sentence(
    tmp_path: Path, reader: str, record_property: Callable[[str, object], None]
) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed; pip install atheris (Linux)")
    limits = [f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=2048"]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), reader, str(tmp_path / "corpus"), *limits],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS + 120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs is not None
    assert int(runs[1]) > 1000
    record_property("runs", int(runs[1]))
