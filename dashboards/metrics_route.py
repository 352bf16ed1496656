"""The route that Prometheus asks: figures of runs, stores and disk, nothing of any example."""

import hmac
import importlib.util
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gapwise.errors import GapwiseError
from gapwise.workflows.vitals import Vitals, vitals

PATH: Final = "/metrics"


def route() -> Route:
    """Return the route."""
    return Route(PATH, _answer, methods=["GET"])


def is_scraper(authorization: str, token: str) -> bool:
    """Return whether a request carries the token that a monitor was given."""
    return bool(token) and hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


async def _answer(_: Request) -> Response:
    if importlib.util.find_spec("prometheus_client") is None:
        return PlainTextResponse("501: figures need pip install 'gapwise[team]'", 501)
    try:
        found = await run_in_threadpool(vitals)
    except GapwiseError:
        found = None
    return PlainTextResponse(text(found), media_type="text/plain; version=0.0.4")


def text(found: Vitals | None) -> str:
    """Return the figures as Prometheus reads them; without any, that the stores do not answer."""
    # Late: the package comes with what a team installs.
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()

    def gauge(name: str, says: str, value: float) -> None:
        Gauge(f"gapwise_{name}", says, registry=registry).set(value)

    gauge("up", "Whether runs, ledger and searches can be read.", float(found is not None))
    if found is not None:
        runs = Gauge("gapwise_runs", "Runs by status.", ["status"], registry=registry)
        for status, count in sorted(found.runs.items()):
            runs.labels(status).set(count)
        gauge("runs_stale", "Runs whose trainer is gone, not closed yet.", found.stale)
        gauge("runs_waiting", "Runs that MLflow does not have whole.", found.waiting)
        gauge("ledger_events", "Events in the ledger.", found.events)
        gauge("searches", "Searches that have begun.", found.searches)
        gauge("free_bytes", "Bytes free where the runs are.", found.free_bytes)
    return generate_latest(registry).decode()
