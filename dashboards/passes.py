"""A pass: what the server gives a browser whose person has signed in, for its own routes.

Streamlit tells pages who signed in, and its routes alone; ours see cookies. So a page, which knows
the person, gives its browser a pass signed by the server: the person, until when, and bound to the
browser's sign-in, whose cookie Streamlit takes away when the person signs out.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Final

COOKIE: Final = "gapwise_pass"
SIGNED_IN: Final = "_streamlit_user"
"""The cookie by which a browser is signed in; nothing of it is read but that it is the same."""

LASTS: Final = 12 * 3600
"""Seconds until a page has to give another."""


def give(
    person: str, cookies: Mapping[str, str], key: bytes, now: Callable[[], float] = time.time
) -> str:
    """Return a pass for a person and a browser, as text that may stand in a cookie."""
    facts = [person, int(now()) + LASTS, _browser(cookies)]
    body = base64.urlsafe_b64encode(json.dumps(facts).encode()).decode()
    return f"{body}.{_signature(body, key)}"


def holder(
    given: str, cookies: Mapping[str, str], key: bytes, now: Callable[[], float] = time.time
) -> str | None:
    """Return the person whose pass ``given`` is; None where it does not hold.

    It must be signed by this server, not be over, and come from the browser that it was given to.
    """
    body, _, signature = given.partition(".")
    if not key or not hmac.compare_digest(signature.encode(), _signature(body, key).encode()):
        return None
    person, until, browser = json.loads(base64.urlsafe_b64decode(body))
    if now() > until or not cookies.get(SIGNED_IN) or browser != _browser(cookies):
        return None
    return str(person)


def cookie(given: str, *, secure: bool) -> str:
    """Return what a browser must keep to hold a pass; scripts cannot read it."""
    end = "; Secure" if secure else ""
    return f"{COOKIE}={given}; Path=/; HttpOnly; SameSite=Strict; Max-Age={LASTS}{end}"


def _browser(cookies: Mapping[str, str]) -> str:
    return hashlib.sha256(cookies.get(SIGNED_IN, "").encode()).hexdigest()


def _signature(body: str, key: bytes) -> str:
    return hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
