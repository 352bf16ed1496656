"""How people sign in: not at all on one's own machine, by OIDC, or at a proxy in front.

``sign-in.toml`` in the home (or the file that ``GAPWISE_SIGN_IN`` names) says which. Its table
``[auth]`` is Streamlit's own, with what the identity provider gave; a table ``[proxy]`` names the
header that carries a person's address, and the secret by which the proxy shows that it is the
proxy.
"""

import hashlib
import hmac
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from gapwise.errors import StorageError, UsageError, did_you_mean, shown
from gapwise.settings import Settings

CALLBACK: Final = "/oauth2callback"
SECRET_HEADER: Final = "X-Gapwise-Proxy-Secret"
SHORTEST_SECRET: Final = 32

_AUTH: Final = (
    "redirect_uri",
    "cookie_secret",
    "client_id",
    "client_secret",
    "server_metadata_url",
)
_PROXY: Final = ("address", "header", "secret")
_TABLES: Final = ("auth", "proxy", "people", "metrics")


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Who is asked for what before anything is shown.

    Attributes:
        by: ``nobody`` signs in, by ``oidc``, or at a ``proxy``.
        host: host and port under which browsers know the server, "" where it is this machine.
        key: signs the passes of routes.
        domains: whoever has an address of one of these may look, without being named.
        file: where it is told.
        header: the proxy's header that carries a person's address.
        secret: what the proxy sends to show that it is the proxy.
        metrics_token: what a monitor sends to see the figures.
        lets_all_in: nobody signs in, and other machines may come all the same.
    """

    by: Literal["nobody", "oidc", "proxy"] = "nobody"
    host: str = ""
    key: bytes = b""
    domains: tuple[str, ...] = ()
    file: Path | None = None
    header: str = ""
    secret: str = ""
    metrics_token: str = ""
    lets_all_in: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether people sign in at all."""
        return self.by != "nobody"


_current = {"sign_in": SignIn()}


def current() -> SignIn:
    """Return how this server's people sign in."""
    return _current["sign_in"]


def use(sign_in: SignIn) -> None:
    """Set how this server's people sign in, once, before it serves."""
    _current["sign_in"] = sign_in


def read(settings: Settings) -> SignIn:
    """Read the file; where there is none, nobody signs in.

    Raises:
        UsageError: others can read it, or a key is missing, unknown or too weak.
        StorageError: it cannot be read.
    """
    named = os.environ.get("GAPWISE_SIGN_IN")
    file = Path(named).absolute() if named else settings.home / "sign-in.toml"
    if not file.exists() and not named:
        return SignIn()
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(
            f"cannot read {file}: {error.strerror}; mend it, or unset GAPWISE_SIGN_IN"
        ) from error
    except ValueError as error:
        raise UsageError(f"{file} is no TOML ({shown(error)}); mend it there") from error
    if mode & 0o077:
        raise UsageError(
            f"{file} holds secrets and others can read it (mode {mode:o}); chmod 600 it"
        )
    return _of(document, file)


def _of(document: Mapping[str, Any], file: Path) -> SignIn:
    for name in document:
        if name not in _TABLES:
            raise UsageError(f"{file}: [{shown(name)}] is unknown; {did_you_mean(name, _TABLES)}")
    if ("auth" in document) == ("proxy" in document):
        raise UsageError(f"{file} needs either [auth] or [proxy]; docs/team.md shows both")
    domains = tuple(
        str(one).lower().lstrip("@") for one in document.get("people", {}).get("domains", ())
    )
    token = ""
    if "metrics" in document:
        given = _needed(document["metrics"], ("token",), file, "metrics", secret="token")
        token = given["token"]
    if "proxy" in document:
        given = _needed(document["proxy"], _PROXY, file, "proxy", secret="secret")
        return SignIn(
            by="proxy", host=_host(given["address"], file), key=_key(given["secret"]),
            domains=domains, file=file, header=given["header"], secret=given["secret"],
            metrics_token=token,
        )  # fmt: skip
    given = _needed(document["auth"], _AUTH, file, "auth", secret="cookie_secret")
    if urlsplit(given["redirect_uri"]).path != CALLBACK:
        raise UsageError(
            f"{file}: redirect_uri is {shown(given['redirect_uri'])!r}; it must end in {CALLBACK}"
        )
    return SignIn(
        by="oidc", host=_host(given["redirect_uri"], file), key=_key(given["cookie_secret"]),
        domains=domains, file=file, metrics_token=token,
    )  # fmt: skip


def _needed(
    table: Mapping[str, Any], names: tuple[str, ...], file: Path, where: str, *, secret: str
) -> Mapping[str, str]:
    for name in names:
        if not str(table.get(name, "")).strip():
            raise UsageError(f"{file}: [{where}] lacks {name}; docs/team.md says what goes there")
    if len(str(table[secret])) < SHORTEST_SECRET:
        raise UsageError(
            f"{file}: {secret} has {len(str(table[secret]))} characters; write {SHORTEST_SECRET} "
            "or more, as `openssl rand -hex 32` gives"
        )
    return {name: str(table[name]) for name in names}


def _host(address: str, file: Path) -> str:
    parts = urlsplit(address)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.netloc or "@" in parts.netloc or not (parts.scheme == "https" or local):
        raise UsageError(
            f"{file}: {shown(address)!r} must be https://HOST: a sign-in crosses the network"
        )
    return parts.netloc.lower()


def _key(secret: str) -> bytes:
    return hmac.new(secret.encode(), b"gapwise pass", hashlib.sha256).digest()
