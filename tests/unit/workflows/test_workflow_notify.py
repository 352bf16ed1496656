"""Who is told, and of what: by a webhook or a command."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gapwise.errors import DataError, StoppedError
from gapwise.settings import Settings
from gapwise.workflows.notify import notifying

Heard = list[dict[str, str]]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """What a webhook on this machine is told."""
    words: Heard = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            words.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("GAPWISE_NOTIFY", f"http://127.0.0.1:{server.server_port}/hook")
    yield words
    server.shutdown()
    thread.join()
    server.server_close()


def work(verdict: str, error: Exception | None = None) -> None:
    with notifying("train digits", Settings.read()) as tell:
        if error is not None:
            raise error
        tell(verdict)


def test_a_webhook_hears_ends_failures_and_changed_verdicts(home: Path, heard: Heard) -> None:
    work("variance")
    work("variance")
    work("data_mismatch")
    with pytest.raises(DataError):
        work("", DataError("split dev is empty"))
    with pytest.raises(StoppedError):
        work("", StoppedError("stopped as asked"))
    assert [(one["event"], one["says"]) for one in heard] == [
        ("finished", "variance"),
        ("finished", "variance"),
        ("verdict-changed", "data_mismatch"),
        ("failed", "split dev is empty"),
    ]
    assert {one["what"] for one in heard} == {"train digits"}


def test_a_command_gets_it_on_its_standard_input(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"import sys; open({str(tmp_path / 'told')!r}, 'w').write(sys.stdin.read())"
    monkeypatch.setenv("GAPWISE_NOTIFY", f'{sys.executable} -c "{code}"')
    work("variance")
    assert json.loads((tmp_path / "told").read_text())["says"] == "variance"


def test_one_that_is_not_reached_undoes_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for target in ("http://127.0.0.1:9/hook", "no-such-command", "'unclosed"):
        monkeypatch.setenv("GAPWISE_NOTIFY", target)
        work("variance")
        assert "GAPWISE_NOTIFY could not be told" in capsys.readouterr().err
    monkeypatch.delenv("GAPWISE_NOTIFY")
    work("variance")
    assert capsys.readouterr().err == ""
