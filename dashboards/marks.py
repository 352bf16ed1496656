"""The route of marks: what is true and what was said of a picture, as an SVG to lie over it.

It reads a run's predictions, so the test split is closed until its look was counted.
"""

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gapwise.errors import GapwiseError

PREFIX = "/marks"
HEADERS = {
    "Cache-Control": "private, max-age=86400",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}


def route() -> Route:
    """Return the route, GET and HEAD only."""
    return Route(f"{PREFIX}/{{run}}/{{split}}/{{example:path}}", _answer, methods=["GET"])


def address(run_id: str, split: str, example_id: str) -> str:
    """Return the path of an example's marks, quoted whole so that an id cannot name a folder."""
    return "/".join((PREFIX, *(quote(part, safe="") for part in (run_id, split, example_id))))


async def _answer(request: Request) -> Response:
    try:
        svg = await run_in_threadpool(_svg, **request.path_params)
    except GapwiseError:
        svg = ""
    if not svg:
        return PlainTextResponse("404: no such marks", 404, HEADERS | {"Cache-Control": "no-store"})
    return Response(svg, media_type="image/svg+xml", headers=HEADERS)


def _svg(run: str, split: str, example: str) -> str:
    # Late: Streamlit's caches want its runtime to be there first.
    from dashboards import data, desk_data
    from gapwise.reports.overlay_svg import overlay
    from gapwise.workflows.marks import marks_of

    desk_data.check_open(run, split)
    table = data.predictions(run, split)
    found = marks_of(table, desk_data.place(table, example))
    return "" if found is None else str(overlay(found))
