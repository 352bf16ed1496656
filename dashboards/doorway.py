"""The HTML that a browser gets first: Streamlit's own, told where its server is.

Opened at ``/runs``, Streamlit's frontend first asks ``/runs/_stcore/health`` whether the app lives
there, and the browser's console shows two errors 404. Told the address, it asks no more.
"""

from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from dashboards import navigation

_TOLD = """<script>window.__streamlit = { BACKEND_BASE_URL: window.location.origin + "/" }</script>
    <style>html { background: #f6f8fb }</style>
    <script type="module\""""


def routes() -> list[Route]:
    """Return one route for the root and one for each page."""
    names = [name for members in navigation.found().values() for name, _ in members]
    paths = ["/", *(f"/{name.replace('_', '-')}" for name in names)]
    return [Route(path, _answer, methods=["GET"]) for path in paths]


def html() -> str:
    """Return Streamlit's first page with the address in it."""
    file = Path(streamlit.__file__).parent / "static" / "index.html"
    text = file.read_text(encoding="utf-8")
    return text.replace("<title>Streamlit<", "<title>Gapwise<").replace(
        '<script type="module"', _TOLD, 1
    )


def _answer(_: Request) -> HTMLResponse:
    return HTMLResponse(html(), headers={"Cache-Control": "no-cache"})
