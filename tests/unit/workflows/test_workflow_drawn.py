"""Boxes, points and masks through the platform: trained, stored, diagnosed, selected, used."""

import json
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gapwise.errors import DataError, PipelineError, UsageError
from gapwise.ledger import looks
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.tags import TagBook
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.ensemble import ensemble
from gapwise.workflows.example_list import ExampleQuery, listed
from gapwise.workflows.export import export
from gapwise.workflows.export_boxes import export_boxes
from gapwise.workflows.marks import marks_of
from gapwise.workflows.predict import predict
from gapwise.workflows.select import SelectRequest, select_run
from gapwise.workflows.slide import SlideRequest, slide
from gapwise.workflows.train import train

PIPELINES = {
    "digit-boxes": ["network.channels=[8,8,16]", "network.head=16"],
    "digit-place": ["network.channels=[8,8,8]", "network.hidden=16"],
    "digit-corners": ["network.channels=[8,8,8]", "network.hidden=16"],
    "digit-masks": ["network.base=4", "network.depth=2"],
}
SMALL = [
    *("data.dataset.count=300", "splits.dev=40", "splits.test=40", "splits.train_dev=40"),
    *("training.epochs=2", "training.threads=1", "training.device=cpu"),
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("drawn")
    home = folder / "home"
    return Settings(
        home=home,
        cache=folder / "cache",
        data=None,
        tracking_uri=f"sqlite:///{home / 'mlflow.db'}",
        ledger_url=f"sqlite:///{home / 'ledger.db'}",
    )


@pytest.fixture(scope="module")
def runs(settings: Settings) -> Mapping[str, str]:
    """Pipeline → a run of it, trained for a moment."""
    return {
        name: train(name, [*SMALL, *options], settings=settings).run_ids[0]
        for name, options in PIPELINES.items()
    }


@pytest.fixture(params=PIPELINES)
def run(request: pytest.FixtureRequest, runs: Mapping[str, str]) -> str:
    return runs[request.param]


def test_the_table_holds_json_and_errors_and_can_be_drawn(run: str, settings: Settings) -> None:
    path = RunStore(settings).open(run).predictions_path("dev")
    assert path is not None
    assert str(pq.read_schema(path).field("target").type) in ("string", "dictionary")
    table = tables.read(path)
    assert len(table) == 40
    assert table.labels.extent == (64, 64)
    assert table.labels.is_drawn
    assert ((table.error >= 0) & (table.error <= 1)).all()
    assert table.error.any()
    for row in range(len(table)):
        json.loads(str(table.target[row]))
        json.loads(str(table.predicted[row]))
        marks = marks_of(table, row)
        assert marks is not None
        assert (marks.height, marks.width) == (64, 64)
    assert "ingredients" in table.metadata
    assert np.isfinite(table.loss).all()


def test_a_run_gets_its_ladder(run: str, settings: Settings) -> None:
    found = diagnose_runs([run], settings=settings)
    assert [rung.rung for rung in found.ladder] == ["train", "train_dev", "dev"]
    assert {gap.name for gap in found.gaps} == {"bias", "variance", "data_mismatch"}
    assert found.as_json()["verdict"]


def test_misses_and_false_boxes_are_views_of_detection_alone(
    runs: Mapping[str, str], settings: Settings
) -> None:
    store = RunStore(settings)
    stored = store.open(runs["digit-boxes"])
    table = tables.read(stored.predictions_path("dev"))
    for view, column in (("misses", "misses"), ("false-positives", "false_positives")):
        rows = listed(stored, table, ExampleQuery(view=view), TagBook())
        counts = table.metadata[column]
        assert counts[rows].tolist() == sorted(counts[counts > 0].tolist(), reverse=True)
    masks = store.open(runs["digit-masks"])
    with pytest.raises(UsageError, match="needs predictions of boxes"):
        listed(
            masks,
            tables.read(masks.predictions_path("dev")),
            ExampleQuery(view="misses"),
            TagBook(),
        )


def test_a_run_is_selected_by_average_precision_and_by_overlap(
    runs: Mapping[str, str], settings: Settings
) -> None:
    for name, metric in (("digit-boxes", "map50"), ("digit-masks", "miou")):
        request = SelectRequest(experiment=name, optimize=metric, limits=("error<=1",))
        found = select_run(request, settings)
        assert found.winner == runs[name]


def test_new_pictures_get_boxes_without_errors(
    runs: Mapping[str, str], settings: Settings, tmp_path: Path
) -> None:
    draw = np.random.default_rng(0)
    for name in ("a", "b"):
        pixels = draw.integers(0, 256, (64, 64), dtype=np.uint8)
        (tmp_path / "new").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "new" / f"{name}.png")
    for name in ("digit-boxes", "digit-masks", "digit-corners"):
        out = tmp_path / f"{name}.parquet"
        predict(runs[name], tmp_path / "new", out, settings)
        table = pq.read_table(out)
        assert table.num_rows == 2
        assert "error" not in table.column_names
        assert "target" not in table.column_names
        for text in table["predicted"].to_pylist():
            json.loads(text)


def test_what_is_drawn_has_no_average_and_says_so(
    runs: Mapping[str, str], settings: Settings
) -> None:
    other = train("digit-boxes", [*SMALL, *PIPELINES["digit-boxes"], "seed=1"], settings=settings)
    with pytest.raises(DataError, match="no scores that an average could be taken of"):
        ensemble([runs["digit-boxes"], other.run_ids[0]], settings=settings)


@pytest.mark.parametrize(
    ("name", "overrides", "told"),
    [
        ("digit-boxes", ["network=small-cnn"], "set network: yolo"),
        ("digit-masks", ["network=yolo"], "set network: u-net"),
        ("digit-place", ["network=u-net"], "wants units in a row"),
        ("digit-place", ["task=classify"], "set task: detect or localize"),
        ("digit-boxes", ["task=localize", "network=small-cnn"], "set task: detect"),
        ("digit-boxes", ["prediction.crops=5"], "another in each crop"),
        ("digit-boxes", ["training.augmentation.warp=2"], "bends what a box"),
        ("digit-corners", ["training.augmentation.mirror=true"], "a left point of a right one"),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_those_that_would(
    settings: Settings, name: str, overrides: list[str], told: str
) -> None:
    with pytest.raises(PipelineError, match=told):
        train(name, [*SMALL, *overrides], settings=settings)


def test_a_detector_is_exported_with_its_anchors(
    runs: Mapping[str, str], settings: Settings, tmp_path: Path
) -> None:
    export(runs["digit-boxes"], "safetensors", tmp_path / "boxes.safetensors", settings)
    with (tmp_path / "boxes.safetensors").open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        metadata = json.loads(stream.read(size))["__metadata__"]
    told = json.dumps(metadata)
    assert "anchors" in told
    assert "extent" in told


def test_boxes_go_out_as_coco_and_voc_and_come_back(
    runs: Mapping[str, str], settings: Settings, tmp_path: Path
) -> None:
    run = runs["digit-boxes"]
    files, count = export_boxes(run, "dev", "coco", tmp_path / "coco", settings)
    table = tables.read(RunStore(settings).open(run).predictions_path("dev"))
    true, said = (json.loads(file.read_text()) for file in files)
    assert count == len(true["images"]) == 40
    assert len(true["annotations"]) == int(table.metadata["digits"].sum())
    names = {one["id"]: one["name"] for one in true["categories"]}
    first = true["annotations"][0]
    row = table.example_id.tolist().index(true["images"][first["image_id"] - 1]["file_name"])
    box = json.loads(table.target[row])[0]
    left, top, width, height = first["bbox"]
    assert box["box"] == [left, top, left + width, top + height]
    assert names[first["category_id"]] == box["class"]
    assert all(0 <= one["score"] <= 1 for one in said)
    folders, _ = export_boxes(run, "dev", "voc", tmp_path / "voc", settings)
    back = []
    for file in sorted(folders[0].glob("*.xml")):
        tree = ElementTree.parse(file).getroot()
        back.append([one.findtext("name") for one in tree.findall("object")])
    assert back == [[one["class"] for one in json.loads(text)] for text in table.target.tolist()]


def test_boxes_are_refused_where_there_are_none_and_a_look_at_test_is_counted(
    runs: Mapping[str, str], settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="predictions of mask of 11 classes"):
        export_boxes(runs["digit-masks"], "dev", "coco", tmp_path / "a", settings)
    (tmp_path / "full").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        export_boxes(runs["digit-boxes"], "dev", "coco", tmp_path / "full", settings)
    run = RunStore(settings).open(runs["digit-boxes"])
    before = looks.count(Ledger(settings.ledger_url), run.dataset)
    export_boxes(runs["digit-boxes"], "test", "voc", tmp_path / "b", settings)
    assert looks.count(Ledger(settings.ledger_url), run.dataset) == before + 1


@pytest.fixture(scope="module")
def reader(settings: Settings) -> str:
    """A LeNet that reads single digits of 8×8 pixels, enlarged to 28×28 by its own pipeline."""
    return train(
        "digits",
        ["network=lenet5", "network.padding=4", "training.epochs=1", "training.threads=1"],
        settings=settings,
    ).run_ids[0]


def test_a_classifier_that_pads_cannot_slide_and_boxes_are_no_classes(
    reader: str, runs: Mapping[str, str], settings: Settings, tmp_path: Path
) -> None:
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "p.png")
    with pytest.raises(PipelineError, match="pads its map"):
        slide(reader, tmp_path / "p.png", SlideRequest(), settings)
    with pytest.raises(UsageError, match="only a classifier"):
        slide(runs["digit-boxes"], tmp_path / "p.png", SlideRequest(), settings)
    with pytest.raises(UsageError, match="--nothing '12' is no class"):
        slide(reader, tmp_path / "p.png", SlideRequest(nothing="12"), settings)


def glyph(draw: np.random.Generator, kind: str) -> np.ndarray:
    """A cross of 12×12 on noise; noise alone, or a cross that is half outside, is nothing."""
    pixels = draw.integers(0, 60, (32, 32), dtype=np.uint8)
    pixels[10:22, 14:18] = 230
    pixels[14:18, 10:22] = 230
    moved = draw.integers(5, 9, 2) * draw.choice([-1, 1], 2) if kind == "nothing" else (0, 0)
    top, left = 8 + moved[0], 8 + moved[1]
    alone = kind == "nothing" and draw.random() < 0.3
    return pixels[:16, 16:32] if alone else pixels[top : top + 16, left : left + 16]


def test_a_window_slides_over_a_large_picture_and_finds_what_is_there(
    settings: Settings, tmp_path: Path
) -> None:
    draw = np.random.default_rng(0)
    for index in range(300):
        kind = ("cross", "nothing", "nothing")[index % 3]
        path = tmp_path / "glyphs" / kind / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(glyph(draw, kind)).save(path)
    (tmp_path / "glyphs.yaml").write_text(
        f"data: {{dataset: {{name: folder, path: {tmp_path / 'glyphs'}}}, duplicates: allow}}\n"
        "splits: {dev: 40, test: 20, train_dev: 20}\nnetwork: lenet5\n"
        "training: {epochs: 20, batch_size: 16, threads: 1, optimizer: {name: adam, lr: 3e-3}}\n"
    )
    run = train(str(tmp_path / "glyphs.yaml"), [], settings=settings).run_ids[0]
    large = draw.integers(0, 60, (64, 96), dtype=np.uint8)
    places = [(8, 20), (40, 12), (24, 64)]
    for top, left in places:
        large[top : top + 16, left : left + 16] = glyph(draw, "cross")
    Image.fromarray(large).save(tmp_path / "large.png")
    request = SlideRequest(least_score=0.5, suppress=0.2, nothing="nothing")
    found = slide(run, tmp_path / "large.png", request, settings)
    assert {one.name for one in found} == {"cross"}
    for top, left in places:
        assert [one for one in found if one.box == (left, top, left + 16, top + 16)]
    assert len(found) <= 2 * len(places)
    regions = SlideRequest(least_score=0.5, nothing="nothing", proposals=True)
    seen = slide(run, tmp_path / "large.png", regions, settings)
    assert all(one.name == "cross" and one.score >= 0.5 for one in seen)
    half = SlideRequest(scales=(0.2,), nothing="nothing")
    with pytest.raises(DataError, match="less than a window of 16×16 at every scale"):
        slide(run, tmp_path / "large.png", half, settings)
    with pytest.raises(DataError, match=r"none\.png file not found"):
        slide(run, tmp_path / "none.png", request, settings)
