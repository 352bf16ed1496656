"""N7: thirty secrets in addresses, variables and files; none comes out anywhere."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gapwise.settings import Settings

COMMANDS = [
    ["train", "digits", "training.epochs=1"],
    ["--debug", "doctor"],
    ["--debug", "search", "digits"],
    ["--debug", "team", "ann@example.org", "lead"],
    ["--debug", "backup", "saved"],
    ["--debug", "dashboard", "--host", "0.0.0.0"],
]


def canary(number: int) -> str:
    return f"canary{number:02d}x7f3q"


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> dict[str, str]:
    """Servers where nobody answers, a secret in each address, secrets in every variable."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{free.getsockname()[1]}"
    names = [
        "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD", "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "PGPASSWORD", "RAY_AUTH_TOKEN",
        "DATABRICKS_TOKEN", "AZURE_CLIENT_SECRET", "GOOGLE_API_KEY", "SLACK_TOKEN",
    ]  # fmt: skip
    names += [f"MY_SECRET_{i}" for i in range(10)]
    variables = {name: canary(10 + i) for i, name in enumerate(names)}
    home.mkdir()
    sign_in = home / "sign-in.toml"
    sign_in.write_text(
        "[auth]\nredirect_uri = 'https://g.example.org/oauth2callback'\n"
        f"cookie_secret = '{canary(1)}{'0' * 32}'\nclient_id = 'gapwise'\n"
        f"client_secret = '{canary(2)}'\nserver_metadat_url = '{canary(3)}'\n"
        f"[metrics]\ntoken = '{canary(4)}{'0' * 32}'\n"
    )
    sign_in.chmod(0o600)
    return variables | {
        "MLFLOW_TRACKING_URI": f"http://ann:{canary(5)}@{away}",
        "GAPWISE_LEDGER_URL": f"postgresql+psycopg://ann:{canary(6)}@{away}/l",
        "GAPWISE_STUDIES_URL": f"postgresql+psycopg://ann:{canary(7)}@{away}/s",
        "GAPWISE_NOTIFY": f"http://{away}/hooks/{canary(8)}",
        "GAPWISE_SHARED": f"s3://{canary(9)}:{canary(31)}@bucket/shared",
    }


def test_n7_no_secret_is_told_or_written(
    environment: dict[str, str], home: Path, tmp_path: Path
) -> None:
    planted = {canary(i) for i in range(1, 32)}
    there = " ".join([*environment.values(), (home / "sign-in.toml").read_text()])
    assert sum(one in there for one in planted) >= 30
    told = ""
    for words in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "gapwise", *words], cwd=tmp_path, env=os.environ | environment,
            capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode != 0, words  # each meets a server that is away, and says so
        told += done.stdout + done.stderr
    assert "does not answer" in told
    assert "cannot be used" in told
    assert [one for one in planted if one in told] == []
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "sign-in.toml":
            content = path.read_bytes()
            assert [one for one in planted if one.encode() in content] == [], path
    assert list(Settings.read().runs.iterdir())  # the training left a run, without any of them
