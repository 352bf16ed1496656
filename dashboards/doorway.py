"""The HTML that a browser gets first: Streamlit's own, with our look and its server's address.

The look stands in it from the first paint on; no data comes into it. The address: opened at
``/runs``, Streamlit's frontend first asks ``/runs/_stcore/health`` whether the app lives there, and
the browser's console shows two errors 404. Told the address, it asks no more.
"""

from functools import cache
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from dashboards import navigation

LOOK = Path(__file__).parent.absolute() / "look.css"

_TOLD = "window.__streamlit = { BACKEND_BASE_URL: window.location.origin + '/' }"


def routes() -> list[Route]:
    """Return one route for the root and one for each page."""
    return [Route(path, _answer, methods=["GET"]) for path in paths()]


@cache
def paths() -> tuple[str, ...]:
    """Return the root and the path of each page."""
    names = [name for members in navigation.found().values() for name, _ in members]
    return ("/", *(f"/{name.replace('_', '-')}" for name in names))


def html() -> str:
    """Return Streamlit's first page with the address in it."""
    file = Path(streamlit.__file__).parent / "static" / "index.html"
    text = file.read_text(encoding="utf-8")
    told = f"<script>{_TOLD}</script>\n    "
    text = text.replace('<script type="module"', told + '<script type="module"', 1)
    # At the end of the body, for among rules of equal weight the last one wins.
    look = f"<style>{LOOK.read_text(encoding='utf-8')}</style>\n  </body>"
    return text.replace("<title>Streamlit<", "<title>Gapwise<").replace("</body>", look, 1)


def _answer(_: Request) -> HTMLResponse:
    return HTMLResponse(html(), headers={"Cache-Control": "no-cache"})
