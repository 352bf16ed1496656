"""Pictures of recorded runs: the files that their ``media`` name, and no others."""

import io
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from dashboards import example_data, pictures
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows import example_pictures
from gapwise.workflows.record import RecordRequest, record_file

APP = Starlette(routes=[pictures.route()])
COLOURS = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
FILES = {
    "fine": "cats/fine.png",
    "grey": "grey.png",
    "dots": "../outside.png",
    "coded": "%2e%2e/outside.png",
    "link": "link.png",
    "folder-link": "away/outside.png",
    "gone": "gone.png",
    "text": "text.png",
    "none": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    (root / "cats").mkdir(parents=True)
    Image.fromarray(COLOURS).save(root / "cats" / "fine.png")
    Image.fromarray(COLOURS[..., 0]).save(root / "grey.png")
    Image.fromarray(COLOURS).save(tmp_path / "outside.png")
    (root / "link.png").symlink_to(tmp_path / "outside.png")
    (root / "away").symlink_to(tmp_path)
    (root / "text.png").write_text("<script>alert(1)</script>")
    return root


@pytest.fixture
def run(home: Path, tmp_path: Path, root: Path) -> str:
    """A run whose table somebody else wrote: ``gapwise record`` refuses paths that lead out."""
    files = FILES | {"absolute": str(tmp_path / "outside.png")}
    n = len(files)
    table = Predictions(
        split="dev",
        example_id=np.array(list(files)),
        target=np.array(["cat"] * n),
        predicted=np.array(["dog"] * n),
        error=np.ones(n),
        weight=np.ones(n),
        media=np.array(list(files.values())),
    )
    with RunStore(Settings.read()).create(
        experiment="e", name=None, kind="record", seed=None, group=None, dataset="d"
    ) as writer:
        path = writer.folder / "predictions" / "dev.parquet"
        tables.write(path, table, media_root=str(root))
        writer.log_file(path, "predictions")
        writer.finish("FINISHED")
    return writer.run_id


def recorded(folder: Path, media_root: Path | None) -> str:
    (folder / "predictions.csv").write_text(
        "example_id,split,target,predicted,media\nfine,dev,cat,dog,cats/fine.png\n"
    )
    return record_file(RecordRequest(file=folder / "predictions.csv", media_root=media_root))


@pytest.mark.usefixtures("home")
def test_a_recorded_run_shows_its_images(asgi: ModuleType, tmp_path: Path, root: Path) -> None:
    run = recorded(tmp_path, root)
    assert example_data.has_pictures(run)
    answer = asgi.http(APP, "GET", pictures.address(run, "fine"), {})
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    drawn = np.asarray(Image.open(io.BytesIO(answer.body)))
    assert np.array_equal(drawn[::10, ::10], COLOURS)


def test_a_grey_image_stays_grey(run: str) -> None:
    drawn = example_data.picture(run, "grey")
    assert drawn is not None
    assert np.array_equal(drawn, COLOURS[..., 0])


@pytest.mark.parametrize(
    "example",
    ["dots", "coded", "link", "folder-link", "absolute", "gone", "text", "none",
     "cats/fine.png", "../outside.png"],
)  # fmt: skip
def test_nothing_outside_the_root_and_no_unknown_id(
    asgi: ModuleType, run: str, example: str
) -> None:
    assert asgi.http(APP, "GET", pictures.address(run, example), {}).status == 404


@pytest.mark.usefixtures("home")
def test_without_a_root_no_file_is_looked_for(tmp_path: Path, root: Path) -> None:
    run = recorded(tmp_path, None)
    assert not example_data.has_pictures(run)
    assert example_data.picture(run, "fine") is None


def test_a_large_photo_is_made_small(tmp_path: Path) -> None:
    Image.new("RGB", (1200, 600), "red").save(tmp_path / "large.jpg")
    known = example_pictures.Media(root=tmp_path.resolve(), paths={"large": "large.jpg"})
    drawn = example_pictures.picture([known], "large")
    assert drawn is not None
    assert drawn.shape == (128, 256, 3)


def test_a_file_too_large_to_read_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (20, 20), "red").save(tmp_path / "a.png")
    known = example_pictures.Media(root=tmp_path.resolve(), paths={"a": "a.png"})
    assert example_pictures.picture([known], "a") is not None
    monkeypatch.setattr(example_pictures, "MOST_BYTES", 10)
    assert example_pictures.picture([known], "a") is None
