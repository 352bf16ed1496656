"""N7: what the server writes is of one form, and holds no secret."""

import json
import logging
from collections.abc import Iterator

import pytest

from dashboards import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    log = logging.getLogger("gapwise")
    kept = (list(log.handlers), log.level, log.propagate)
    yield
    log.handlers[:], level, log.propagate = kept
    log.setLevel(level)


def fail() -> None:
    try:
        raise ValueError("cannot reach postgresql://ann:hunter2@db/x")
    except ValueError:
        logging.getLogger("gapwise.dashboard").exception("page %s failed at %s", "Runs", "//a:b@c")


def test_n7_lines_tell_when_what_and_where_without_passwords(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up()
    fail()
    told = capsys.readouterr().err
    assert " ERROR gapwise.dashboard: page Runs failed at //a:***@c" in told
    assert "Traceback" in told
    assert "hunter2" not in told


def test_n7_documents_are_one_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_LOG", "json")
    logs.set_up()
    fail()
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["level"], told["source"]) == ("ERROR", "gapwise.dashboard")
    assert "ann:***@db" in told["trace"]
    assert "hunter2" not in line
