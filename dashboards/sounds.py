"""The route of sounds: an example's sound by run and example id, re-encoded as wav by us.

A client names a run and an example; both are looked up among what is known.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gapwise.errors import GapwiseError

PREFIX = "/sounds"
HEADERS = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}


def route() -> Route:
    """Return the route, GET and HEAD only."""
    return Route(f"{PREFIX}/{{run}}/{{example:path}}", _answer, methods=["GET"])


async def _answer(request: Request) -> Response:
    # Late: Streamlit's caches want its runtime to be there first.
    from dashboards import example_data

    run_id, example_id = request.path_params["run"], request.path_params["example"]
    try:
        found = await run_in_threadpool(example_data.sound, run_id, example_id)
    except GapwiseError:
        found = None
    if found is None:
        missing = HEADERS | {"Cache-Control": "no-store"}
        return PlainTextResponse("404: no such sound", 404, missing)
    return Response(found, media_type="audio/wav", headers=HEADERS)
