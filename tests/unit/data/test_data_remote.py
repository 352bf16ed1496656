"""Public sets: found locally, else downloaded with a checksum from a server of our own."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gapwise.data.remote import Remote, fetch
from gapwise.errors import DataError, ServiceError
from gapwise.settings import Settings

CONTENT = b"what is public" * 100


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        self.server.asked += 1


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "set.bin").write_bytes(CONTENT)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as running:
        running.asked = 0
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def remote(server, content=CONTENT, name="set.bin"):
    return Remote(
        folder="sets",
        name=name,
        url=f"http://127.0.0.1:{server.server_port}/{name}",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        also=("other.bin",),
    )


@pytest.fixture
def away(home, monkeypatch):
    monkeypatch.delenv("GAPWISE_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return Settings.read()


def test_a_download_says_its_size_first_and_happens_once(server, away, capsys):
    path = fetch(away, remote(server))
    assert path.read_bytes() == CONTENT
    assert path == away.cache / "downloads" / "sets" / "set.bin"
    told = capsys.readouterr()
    assert "downloading set.bin (0.0 MB) from http://127.0.0.1" in told.err
    assert told.out == ""
    asked = server.asked
    assert asked > 0
    assert fetch(away, remote(server)) == path
    assert server.asked == asked
    assert capsys.readouterr().err == ""


def test_another_file_than_promised_is_refused_and_not_kept(server, away):
    with pytest.raises(DataError, match="is not the file it should be"):
        fetch(away, remote(server, content=b"else"))
    assert not (away.cache / "downloads" / "sets" / "set.bin").exists()


def test_a_file_that_the_server_lacks_is_told(server, away):
    with pytest.raises(ServiceError, match=r"cannot download .*none\.bin.*folder sets"):
        fetch(away, remote(server, name="none.bin"))


def test_a_server_that_is_away_is_told(server, away):
    server.shutdown()
    server.server_close()
    with pytest.raises(ServiceError, match="check the network"):
        fetch(away, remote(server))


@pytest.mark.parametrize("name", ["set.bin", "other.bin"])
def test_what_is_in_the_data_folder_is_not_downloaded(server, home, tmp_path, monkeypatch, name):
    (tmp_path / "data" / "sets").mkdir(parents=True)
    (tmp_path / "data" / "sets" / name).write_bytes(b"own")
    monkeypatch.setenv("GAPWISE_DATA", str(tmp_path / "data"))
    assert fetch(Settings.read(), remote(server)).read_bytes() == b"own"
    assert server.asked == 0
