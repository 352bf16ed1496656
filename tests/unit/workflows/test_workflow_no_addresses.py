"""N6: an address where a file is asked for is no file; nobody is called, here or elsewhere."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import GapwiseError


class Listener:
    """A port of this machine that counts who calls."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.calls = 0
        threading.Thread(target=self._count, daemon=True).start()

    @property
    def at(self) -> str:
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def _count(self) -> None:
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            one.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.socket.close()


def test_the_listener_hears(listener: Listener) -> None:
    host, port = listener.at.split(":")
    socket.create_connection((host, int(port))).close()
    for _ in range(100):
        if listener.calls:
            break
        threading.Event().wait(0.02)
    assert listener.calls == 1


FORMS = ("http://{}/x.csv", "HTTP://{}/x.csv", "ftp://{}/x.csv", "s3://{}/x.csv",
         "file://{}/x.csv", "http:/{}/x.csv", "//{}/x.csv", "http://user@{}/x.csv")  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "words",
    [
        ["train", "{}"],
        ["data", "digits", "data.dataset=folder", "data.dataset.path={}"],
        ["data", "digits", "data.dataset=manifest", "data.dataset.path={}"],
        ["train", "digits", "training.epochs=1", "transfer.start={}"],
        ["record", "{}"],
        ["init", "{}"],
        ["labels", "import", "{}"],
    ],
    ids=["pipeline", "folder", "manifest", "weights", "record", "init", "labels"],
)
def test_n6_nobody_is_called(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: Listener,
    words: list[str], form: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    address = form.format(listener.at)
    done = CliRunner().invoke(app, [word.format(address) for word in words])
    assert done.exit_code != 0
    assert isinstance(done.exception, GapwiseError | SystemExit), repr(done.exception)
    assert listener.calls == 0


def test_n6_pictures_of_a_manifest_are_files(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{form.format(listener.at)},cat" for form in FORMS]
    (tmp_path / "m.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    words = ["data", "digits", "data.dataset=manifest", "data.dataset.path=m.csv"]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, GapwiseError), repr(done.exception)
    assert listener.calls == 0
