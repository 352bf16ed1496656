"""The route of pictures: an example's picture by run and example id, re-encoded as PNG by us.

A client names a run and an example; both are looked up among what is known. No path, and no byte of
a file that somebody else wrote, goes through.
"""

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gapwise.errors import GapwiseError
from gapwise.workflows.example_pictures import png

PREFIX = "/pictures"
HEADERS = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}


def route() -> Route:
    """Return the route, GET and HEAD only."""
    return Route(f"{PREFIX}/{{run}}/{{example:path}}", _answer, methods=["GET"])


def address(run_id: str, example_id: str) -> str:
    """Return the path of an example's picture, quoted whole so that an id cannot name a folder."""
    return f"{PREFIX}/{quote(run_id, safe='')}/{quote(example_id, safe='')}"


async def _answer(request: Request) -> Response:
    # Late: Streamlit's caches want its runtime to be there first.
    from dashboards import example_data

    run_id, example_id = request.path_params["run"], request.path_params["example"]
    try:
        picture = await run_in_threadpool(example_data.picture, run_id, example_id)
    except GapwiseError:
        picture = None
    if picture is None:
        return PlainTextResponse(
            "404: no such picture", 404, HEADERS | {"Cache-Control": "no-store"}
        )
    return Response(png(picture), media_type="image/png", headers=HEADERS)
