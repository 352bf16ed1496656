#!/usr/bin/env python3
"""Make what the servers must know of each other, once; nothing has a password by default.

    python3 docker/make_secrets.py [FOLDER]

Each file is made if it is not there, readable by its owner alone. Needs Python alone.
"""

import base64
import json
import os
import secrets
import sys
from pathlib import Path

ROLES = {"mlflow": "mlflow", "studies": "studies", "ledger_owner": "ledger", "ledger": "ledger"}
"""Role → its database."""

SIGN_IN = """\
# Fill in what your identity provider gave; docs/team.md says where it comes from.
[auth]
redirect_uri = "https://{host}/oauth2callback"
cookie_secret = "{cookie}"
client_id = ""
client_secret = ""
server_metadata_url = ""

[people]
domains = []

[metrics]
token = "{token}"
"""


def main(folder: Path) -> None:
    """Make the files that are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    host = os.environ.get("GAPWISE_HOST", "gapwise.example.org")
    key, secret = secrets.token_hex(16), secrets.token_hex(32)
    write(folder / "postgres", secrets.token_hex(32))
    lines = [f"*:*:{name}:{role}:{secrets.token_hex(32)}" for role, name in ROLES.items()]
    write(folder / "pgpass", "\n".join(lines) + "\n")
    write(folder / "ray-token", secrets.token_hex(32))
    write(folder / "mlflow-basic", base64.b64encode(f"gapwise:{secret}".encode()).decode())
    write(folder / "sign-in.toml", SIGN_IN.format(
        host=host, cookie=secrets.token_hex(32), token=secrets.token_hex(32)))  # fmt: skip
    if not (folder / "s3.json").exists() or not (folder / "aws").exists():
        identity = {
            "name": "gapwise",
            "credentials": [{"accessKey": key, "secretKey": secret}],
            "actions": ["Admin:gapwise", "Read:gapwise", "Write:gapwise", "List:gapwise"],
        }
        write(folder / "s3.json", json.dumps({"identities": [identity]}), again=True)
        pair = f"aws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
        write(folder / "aws", f"[default]\n{pair}", again=True)


def write(path: Path, content: str, *, again: bool = False) -> None:
    """Write a file that nobody else may read, whole or not at all; one that is there stays."""
    if path.exists() and not again:
        return
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(content)
    draft.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "secrets")
