"""A3: sixty spellings of a way out, against every input that names a file or an example."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

import pytest
from starlette.applications import Starlette

from dashboards import desk_routes, marks, pictures, sounds
from gapwise.errors import GapwiseError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore

HEADS = (
    *("..", "../..", "../../..", "./..", ".//..", "..//..", "a/../..", "a/b/../../.."),
    *("%2e%2e", "%2E%2E", "%2e.", ".%2e", "..%2f..", "..%2F..", "%2e%2e%2f%2e%2e", "%252e%252e"),
    *("..%5c..", "..\\\\..", "%5c..", "....//....", "..;", "..%00", "..%0a", "～", "‥"),
    *("file:", "file://", "~", "~root", "\\\\\\\\host", "C:", "/", "//", "\0"),
)
TAILS = ("run.json", "etc/passwd")
WAYS = tuple(f"{head}/{tail}" for head in HEADS for tail in TAILS)


@pytest.fixture
def run(stored: Path) -> str:
    """A run, beside whose folder and in whose home lie files that nobody may get."""
    found = RunStore(Settings.read())
    run_id = str(found.rows()["run_id"].iloc[0])
    (stored / "etc").mkdir()
    for folder in (stored, stored / "runs", stored / "etc"):
        (folder / "run.json").write_text("canary")
        (folder / "passwd").write_text("canary")
    return run_id


def test_sixty_spellings_are_tried() -> None:
    assert len(set(WAYS)) >= 60


def test_a3_no_name_of_a_file_of_a_run_leads_out_of_it(run: str, stored: Path) -> None:
    opened = RunStore(Settings.read()).open(run)
    inside = (stored / "runs" / run).resolve()
    (inside / "out").symlink_to(stored / "run.json")
    for way in (*WAYS, "out", str(stored / "run.json"), "../run.json", "../../run.json"):
        try:
            found = opened.artifact(way)
        except (GapwiseError, ValueError):
            continue
        assert found.resolve().is_relative_to(inside), way
        assert "canary" not in found.read_text(), way


@pytest.mark.parametrize(
    "address",
    [
        lambda run, way: f"/pictures/{run}/{way}",
        lambda run, way: f"/pictures/{way}/x",
        lambda run, way: f"/sounds/{run}/{way}",
        lambda run, way: f"/marks/{run}/dev/{way}",
        lambda run, way: f"/marks/{run}/{way}/x",
        lambda run, way: f"/desk/one?run={run}&split=dev&id={way}",
        lambda run, way: f"/desk/one?run={way}&split=dev&id=x",
        lambda run, way: f"/desk/list?run={run}&split={way}",
        lambda run, way: f"/desk/list?run={way}&split=dev",
    ],
    ids=["picture", "picture's run", "sound", "marks", "marks' split", "example", "example's run",
         "split", "run"],
)  # fmt: skip
def test_a3_no_route_leads_out(
    asgi: ModuleType, run: str, address: Callable[[str, str], str]
) -> None:
    app = Starlette(routes=[pictures.route(), sounds.route(), marks.route(), *desk_routes.routes()])
    for way in WAYS:
        for spelled in (quote(way, safe="/%"), quote(way, safe="")):
            answer = asgi.http(app, "GET", address(run, spelled), {})
            assert answer.status in (400, 404), (spelled, answer.status)
            assert b"canary" not in answer.body
