"""The server: Streamlit's own, on this machine alone, behind our guard and with routes of our own.

It is started by its own ``run``, never by bare uvicorn, which would ignore Streamlit's settings.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from dashboards import desk_routes, doorway, marks, pictures, sounds, theme
from dashboards.guard import Guard, is_loopback
from gapwise.errors import UsageError, shown

PORT = 8501

_state = {"serving": False}


def build() -> st.App:
    """Return the app: our pages, first HTML and pictures, and the guard before everything."""
    return st.App(
        Path(__file__).parent.absolute() / "app.py",
        lifespan=_ready,
        routes=[
            *doorway.routes(),
            *(part.route() for part in (pictures, sounds, marks)),
            *desk_routes.routes(),
        ],
        middleware=[Middleware(Guard)],
    )


def serve(port: int = PORT, host: str = "127.0.0.1") -> None:
    """Serve the dashboard until it is stopped.

    Raises:
        UsageError: ``host`` is reachable from other machines: there is no sign-in yet.
    """
    if not is_loopback(host):
        raise UsageError(
            f"--host is {shown(host)}, which other machines can reach, and the dashboard has no "
            f"sign-in; leave it at 127.0.0.1 and use ssh -L {port}:127.0.0.1:{port} from elsewhere"
        )
    _state["serving"] = True
    # A folder `pages/` beside the script makes Streamlit run the process's first visit by its older
    # page scheme, which answers a deep link with "Page not found". Ours come by st.navigation.
    PagesManager.uses_pages_directory = False
    build().run(config=theme.config(port, "127.0.0.1" if host == "localhost" else host))


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
    # Torch takes seconds before it first follows shapes: they pass while people read.
    described = asyncio.create_task(run_in_threadpool(_describe_one))
    yield
    await described


def _describe_one() -> None:
    from gapwise.workflows import architecture  # late: torch need not be there to guard and serve

    architecture.of_size(architecture.sizes()[0])
