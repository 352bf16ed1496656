"""A small OpenID Connect provider on this machine: whoever asks is the person that is chosen.

It keeps to what sign-in needs: discovery, an authorization code with PKCE left out, a signed
``id_token`` and its key. ``python provider.py PORT`` serves; ``PERSON`` as a cookie-free choice is
made on its page.
"""

import base64
import hashlib
import json
import sys
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

PEOPLE = ("lea@example.org", "tom@example.org", "vic@example.org", "eve@evil.example")
CLIENT = "gapwise"

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
codes: dict[str, Mapping[str, str]] = {}


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def base_of(request: Request) -> str:
    return str(request.base_url).rstrip("/")


async def configuration(request: Request) -> Response:
    base = base_of(request)
    return JSONResponse(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


async def authorize(request: Request) -> Response:
    asked = dict(request.query_params)
    links = "".join(
        f'<p><a href="/chosen?{urlencode(asked)}&person={quote(one)}">{one}</a></p>'
        for one in PEOPLE
    )
    return HTMLResponse(f"<title>Provider</title><h1>Who are you?</h1>{links}")


async def chosen(request: Request) -> Response:
    asked = dict(request.query_params)
    code = hashlib.sha256(f"{time.time_ns()}{asked['person']}".encode()).hexdigest()
    codes[code] = asked
    back = urlencode({"code": code, "state": asked["state"]})
    return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)


async def token(request: Request) -> Response:
    form = await request.form()
    asked = codes.pop(str(form["code"]))
    now = int(time.time())
    claims = {
        "iss": base_of(request),
        "sub": asked["person"],
        "aud": CLIENT,
        "iat": now,
        "exp": now + 600,
        "nonce": asked.get("nonce", ""),
        "email": asked["person"],
        "email_verified": True,
    }
    return JSONResponse(
        {"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": signed(claims)}
    )


def signed(claims: Mapping[str, Any]) -> str:
    head = {"alg": "RS256", "kid": "1", "typ": "JWT"}
    body = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{body}.{encoded(KEY.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


async def keys(_: Request) -> Response:
    numbers = KEY.public_key().public_numbers()
    one = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1"}
    return JSONResponse({"keys": [one | {"n": number(numbers.n), "e": number(numbers.e)}]})


app = Starlette(
    routes=[
        Route("/.well-known/openid-configuration", configuration),
        Route("/authorize", authorize),
        Route("/chosen", chosen),
        Route("/token", token, methods=["POST"]),
        Route("/keys", keys),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
