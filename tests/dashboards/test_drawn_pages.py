"""Pages over runs whose targets lie on the pictures, and the route of their marks."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from dashboards import data, desk_data, desk_view, marks
from gapwise.settings import Settings
from gapwise.workflows.example_list import ExampleQuery
from gapwise.workflows.train import train

Page = Callable[..., AppTest]
APP = Starlette(routes=[marks.route()])
PAGES = (
    "what_next",
    "runs",
    "run",
    "compare",
    "splits",
    "errors",
    "labels",
    "human_level",
    "slices",
)
PIPELINES = {
    "digit-boxes": ["network.channels=[8,8,16]", "network.head=16"],
    "digit-corners": ["network.channels=[8,8,8]", "network.hidden=16"],
    "digit-masks": ["network.base=4", "network.depth=2"],
}
SMALL = [
    *("data.dataset.count=200", "splits.dev=30", "splits.test=30", "splits.train_dev=30"),
    *("training.epochs=1", "training.threads=1", "training.device=cpu"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """A home with two runs of each pipeline."""
    folder = tmp_path_factory.mktemp("drawn")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_MIRROR", "off")  # pages read the runs\' own folders
        patch.setenv("GAPWISE_HOME", str(folder / "home"))
        patch.setenv("GAPWISE_CACHE", str(folder / "cache"))
        found = {
            name: [
                train(name, [*SMALL, *options, f"seed={seed}"], settings=Settings.read()).run_ids[0]
                for seed in (0, 1)
            ]
            for name, options in PIPELINES.items()
        }
    return folder, found


@pytest.fixture
def stored(
    runs: tuple[Path, dict[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> dict[str, list[str]]:
    folder, ids = runs
    monkeypatch.setenv("GAPWISE_HOME", str(folder / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(folder / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("GAPWISE_LEDGER_URL", raising=False)
    return ids


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("kind", PIPELINES)
def test_every_page_runs(page: Page, stored: dict[str, list[str]], name: str, kind: str) -> None:
    run, other = stored[kind]
    test = page(name, experiment=kind, run=run, other=other)
    assert not test.exception
    assert [str(error.value) for error in test.error] == []


def test_an_item_of_the_desk_tells_boxes_in_words(stored: dict[str, list[str]]) -> None:
    run = stored["digit-boxes"][0]
    listed = desk_data.page(run, "dev", ExampleQuery(view="all"), "", 0, 30)
    labels = {item["id"]: item["label"] for item in listed["items"]}
    table = data.predictions(run, "dev")
    counts = dict(zip(table.example_id.tolist(), table.metadata["digits"].tolist(), strict=True))
    assert len(labels) == 30
    for name, label in labels.items():
        assert len([one for one in label.split(", ") if one.isdigit()]) == counts[name]
    one = desk_data.one(run, "dev", listed["items"][0]["id"])
    assert one["metadata"]["background"] in ("brick", "grass", "gravel")
    assert "misses" in one["metadata"]


def test_marks_are_an_svg_that_may_do_nothing(
    asgi: ModuleType, stored: dict[str, list[str]]
) -> None:
    for kind in PIPELINES:
        run = stored[kind][0]
        example = str(data.predictions(run, "dev").example_id[0])
        answer = asgi.http(APP, "GET", marks.address(run, "dev", example), {})
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'"
        svg = ElementTree.fromstring(answer.body)
        assert svg.get("viewBox") == "0 0 64 64"
        assert len(svg)


def test_marks_of_test_stay_closed_until_its_look_was_counted(
    asgi: ModuleType, stored: dict[str, list[str]]
) -> None:
    run = stored["digit-boxes"][0]
    example = str(data.predictions(run, "test").example_id[0])
    assert asgi.http(APP, "GET", marks.address(run, "test", example), {}).status == 404


@pytest.mark.parametrize(
    "path", ["/marks/{run}/dev/nobody", "/marks/nobody/dev/x", "/marks/{run}/field/x",
             "/marks/{run}/..%2fdev/x", "/marks/{run}/dev/%00"],
)  # fmt: skip
def test_nothing_else_has_marks(asgi: ModuleType, stored: dict[str, list[str]], path: str) -> None:
    answer = asgi.http(APP, "GET", path.format(run=stored["digit-boxes"][0]), {})
    assert answer.status == 404
    assert answer.headers["cache-control"] == "no-store"


def test_views_of_detection_are_offered_where_there_are_boxes(
    page: Page, stored: dict[str, list[str]]
) -> None:
    for kind, offered in (("digit-boxes", True), ("digit-masks", False)):
        test = page("errors", experiment=kind, run=stored[kind][0])
        options = {str(one) for box in test.selectbox for one in box.options}
        assert (desk_view.VIEWS["misses"] in options) == offered
        assert (desk_view.VIEWS["false-positives"] in options) == offered


def test_classes_have_no_marks(asgi: ModuleType, stored: dict[str, list[str]]) -> None:
    assert stored
    assert marks.address("a/b", "dev", "../c?d") == "/marks/a%2Fb/dev/..%2Fc%3Fd"
