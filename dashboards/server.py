"""The server: Streamlit's own, behind our guard and with routes of our own.

It listens to this machine alone, unless people sign in.

It is started by its own ``run``, never by bare uvicorn, which would ignore Streamlit's settings.
"""

import asyncio
import gc
import importlib
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

from dashboards import (
    desk_routes,
    doorway,
    logs,
    marks,
    metrics_route,
    pictures,
    session_routes,
    sign_in,
    sounds,
    theme,
    who,
)
from dashboards.guard import Guard, is_loopback
from gapwise.errors import GapwiseError, UsageError, shown
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows import author

PORT = 8501
LOOPBACK = "127.0.0.1"

ANYBODY = "anybody-may-change-everything"
"""The word that lets a dashboard without sign-in listen to other machines."""

_state = {"serving": False}


def build() -> st.App:
    """Return the app: our pages, first HTML and pictures, and the guard before everything."""
    return st.App(
        Path(__file__).parent.absolute() / "app.py",
        lifespan=_ready,
        routes=routes(),
        middleware=[Middleware(Guard)],
    )


def routes() -> list[Route]:
    """Return our own routes, beside Streamlit's."""
    return [
        *doorway.routes(),
        *(part.route() for part in (pictures, sounds, marks)),
        *desk_routes.routes(),
        session_routes.route(),
        metrics_route.route(),
    ]


def serve(port: int = PORT, host: str = LOOPBACK, insecure: str = "") -> None:
    """Serve the dashboard until it is stopped.

    Args:
        port: where.
        host: the address that it listens on.
        insecure: ``ANYBODY`` lets it listen to other machines although nobody signs in.

    Raises:
        UsageError: ``host`` is reachable from other machines and nobody signs in; or the sign-in's
            file is wrong.
        StorageError: the sign-in's file cannot be read.
    """
    way = sign_in.read(Settings.read())
    if not is_loopback(host) and not way.is_asked:
        if insecure != ANYBODY:
            raise UsageError(
                f"--host is {shown(host)}, which other machines can reach, and nobody signs in; "
                "set sign-in up (docs/team.md), or leave it at 127.0.0.1 and use "
                f"ssh -L {port}:127.0.0.1:{port} from elsewhere, or, where everybody who can reach "
                f"it may change everything, add --insecure {ANYBODY}"
            )
        way = replace(way, lets_all_in=True)
    if way.by == "oidc" and importlib.util.find_spec("authlib") is None:
        raise UsageError("signing in by OIDC needs Authlib: pip install 'gapwise[team]'")
    logs.set_up()
    sign_in.use(way)
    author.ask_first(who.acting)
    _state["serving"] = True
    # A folder `pages/` beside the script makes Streamlit run the process's first visit by its older
    # page scheme, which answers a deep link with "Page not found". Ours come by st.navigation.
    PagesManager.uses_pages_directory = False
    build().run(config=theme.config(port, LOOPBACK if host == "localhost" else host, way))


def is_serving() -> bool:
    """Return whether this process was started by ``serve``, guard and all."""
    return _state["serving"]


@asynccontextmanager
async def _ready(_: st.App) -> AsyncIterator[None]:
    """Import what pages need before the first visitor waits for it."""
    names = (
        "next_view",
        "runs_view",
        "run_view",
        "compare_view",
        "split_view",
        "inside_view",
        "desk_view",
    )
    for name in names:
        await run_in_threadpool(importlib.import_module, f"dashboards.{name}")
    # MLflow takes seconds to import, its server to list many runs, torch before it first follows
    # shapes: they pass while people read.
    warmed = asyncio.create_task(run_in_threadpool(_warm))
    yield
    await warmed


def _warm() -> None:
    importlib.import_module("mlflow")
    with suppress(GapwiseError):  # the page that needs them tells
        RunStore(Settings.read()).experiments()

    from gapwise.workflows import architecture  # late: torch need not be there to guard and serve

    architecture.of_size(architecture.sizes()[0])
    # What was imported stays. Python's collector would walk over all of it, a third of a second
    # with torch, while every page and every save waits.
    gc.collect()
    gc.freeze()
