"""Pictures with boxes, masks and points: readers, and what cannot be (FAULTS L4)."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gapwise.data.base import DATASETS, ReadContext
from gapwise.data.checks import check_examples
from gapwise.data.datasets.digit_scenes import digit_scenes
from gapwise.data.framing import framed
from gapwise.data.mask_set import Tiling
from gapwise.data.splits import assign
from gapwise.errors import DataError
from gapwise.ingredients import COLUMN, by_kind
from gapwise.pipeline import Splits
from gapwise.records import ExampleSet
from gapwise.settings import Settings

Read = Callable[..., ExampleSet]


@pytest.fixture
def context(home: Path, tmp_path: Path) -> ReadContext:
    return ReadContext(settings=Settings.read(), root=tmp_path)


def picture(path: Path, height: int = 20, width: int = 40) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(abs(hash(path.stem)) % 1000)
    Image.fromarray(draw.integers(0, 256, (height, width), dtype=np.uint8)).save(path)


def annotation(root: Path, stem: str, boxes: str, size: str = "40×20") -> None:
    width, height = size.split("×")
    shape = f"<size><width>{width}</width><height>{height}</height></size>"
    text = f"<annotation><filename>{stem}.png</filename>{shape}{boxes}</annotation>"
    (root / "Annotations").mkdir(exist_ok=True)
    (root / "Annotations" / f"{stem}.xml").write_text(text)


def thing(name: str, *corners: object) -> str:
    keys = ("xmin", "ymin", "xmax", "ymax")
    box = "".join(f"<{k}>{v}</{k}>" for k, v in zip(keys, corners, strict=True))
    return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"


BAD = [
    (thing("cell", 5, 5, 5, 9), "box-empty", "5, 5, 5, 9"),
    (thing("cell", 9, 5, 5, 9), "box-reversed", "ends before it begins"),
    (thing("cell", -4, 5, 5, 9), "box-outside", "40×20"),
    (thing("cell", 5, 5, 45, 9), "box-outside", "40×20"),
    (thing("cell", "nan", 5, 9, 9), "box-not-finite", "not finite"),
    (thing("cel", 5, 5, 9, 9), "unknown-class", "cell"),
]


@pytest.mark.parametrize(("bad", "code", "told"), BAD, ids=[code for _, code, _ in BAD])
def test_l4_a_box_that_cannot_be_is_set_aside_by_its_number_and_the_others_stay(
    context: ReadContext, bad: str, code: str, told: str
) -> None:
    for stem in ("a", "b"):
        picture(context.root / "JPEGImages" / f"{stem}.png")
        annotation(context.root, stem, thing("cell", 1, 2, 9, 8))
    annotation(context.root, "b", thing("cell", 1, 2, 9, 8) + bad + thing("cell", 3, 3, 7, 7))
    examples = DATASETS.get("voc")(context, path=".", classes=["cell", "wall"])
    (aside,) = examples.quarantine
    assert (aside.item, aside.code) == ("JPEGImages/b.png: object 2", code)
    assert told in aside.reason
    assert (examples.targets[..., 0] >= 0).sum(1).tolist() == [1, 2]
    check_examples(examples)


def test_boxes_are_scaled_as_their_picture_is_and_cut_off_at_its_edge(
    context: ReadContext,
) -> None:
    picture(context.root / "JPEGImages" / "a.png")
    annotation(context.root, "a", thing("cell", 10, 5, 41, 20))
    examples = DATASETS.get("voc")(context, path=".", size=(40, 20))
    assert examples.inputs.shape == (1, 1, 40, 20)
    assert examples.targets.tolist() == [[[0, 5, 10, 20, 40]]]
    assert examples.labels.extent == (40, 20)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<annotation><filename>a.png</filename></annotation>", "no size/width"),
        ("<annotation", "no xml"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation/>', "entities"),
        (
            "<annotation><size><width>4</width><height>4</height></size>"
            "<object><name>c</name><bndbox><xmin>x</xmin></bndbox></object></annotation>",
            "'x', not a number",
        ),
        ("<annotation><size><width>0</width><height>4</height></size></annotation>", "0×4"),
        ("<annotation><size><width>4</width><height>inf</height></size></annotation>", "4×inf"),
    ],
    ids=["no size", "cut", "entities", "no number", "no width", "endless height"],
)
def test_an_annotation_that_cannot_be_read_is_set_aside_with_the_reason(
    context: ReadContext, text: str, told: str
) -> None:
    for stem in ("a", "b"):
        picture(context.root / "JPEGImages" / f"{stem}.png")
        annotation(context.root, stem, thing("cell", 1, 2, 9, 8))
    (context.root / "Annotations" / "b.xml").write_text(text)
    examples = DATASETS.get("voc")(context, path=".")
    (aside,) = examples.quarantine
    assert aside.item == "Annotations/b.xml"
    assert told in aside.reason
    assert len(examples) == 1


def test_a_folder_without_annotations_is_refused(context: ReadContext) -> None:
    with pytest.raises(DataError, match="holds no annotation"):
        DATASETS.get("voc")(context, path=".")


SHOT = {"id": 1, "file_name": "a.png", "width": 40, "height": 20}


def coco(root: Path, **changes: object) -> None:
    picture(root / "a.png")
    document: dict[str, object] = {
        "images": [SHOT],
        "annotations": [
            {"id": 7, "image_id": 1, "category_id": 3, "bbox": [1, 2, 8, 6]},
            {"id": 8, "image_id": 1, "category_id": 3, "bbox": [1, 2, 0, 6]},
            {"id": 9, "image_id": 1, "category_id": 3, "bbox": [0, 0, 40, 20], "iscrowd": 1},
        ],
        "categories": [{"id": 3, "name": "cell"}, {"id": 5, "name": "wall"}],
    }
    (root / "c.json").write_text(json.dumps(document | changes))


def test_coco_boxes_are_left_top_width_height_and_crowds_are_left_out(
    context: ReadContext,
) -> None:
    coco(context.root)
    examples = DATASETS.get("coco")(context, path="c.json", classes=["wall", "cell"])
    assert examples.targets.tolist() == [[[1, 1, 2, 9, 8]]]
    (aside,) = examples.quarantine
    assert (aside.item, aside.code) == ("a.png: annotation 8", "box-empty")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"categories": {}}, "no list 'categories'"),
        ({"images": [{"id": 1}]}, "not of COCO's form"),
        ({"annotations": [{"image_id": 1, "category_id": 3, "bbox": [1]}]}, "not of COCO's form"),
        ({"annotations": []}, "no picture has a box"),
        ({"images": [SHOT | {"width": float("inf")}]}, "not of COCO's form"),
        ({"images": [SHOT | {"width": 0}]}, "0×20"),
        ({"images": [SHOT | {"height": -3}]}, "40×-3"),
        ({"images": [SHOT | {"file_name": "../../a.png"}]}, "outside data root"),
    ],
    ids=["no list", "no name", "short box", "no box", "endless", "no width", "negative", "outside"],
)
def test_a_file_that_is_not_of_cocos_form_is_refused(
    context: ReadContext, changes: dict[str, object], told: str
) -> None:
    coco(context.root, **changes)
    with pytest.raises(DataError, match=told):
        DATASETS.get("coco")(context, path="c.json")


def masked(root: Path, name: str, mask: np.ndarray) -> None:
    picture(root / "image" / f"{name}.png", 16, 16)
    (root / "label").mkdir(exist_ok=True)
    Image.fromarray(mask.astype(np.uint8)).save(root / "label" / f"{name}.png")


VALUES = {"cell": 255, "wall": 0}


def test_masks_of_another_size_or_with_unknown_values_are_set_aside(context: ReadContext) -> None:
    good = np.zeros((16, 16))
    good[:, 8:] = 255
    strange = good.copy()
    strange[3, 4] = 7
    for name, mask in (("10", good), ("2", good[:8]), ("3", strange), ("4", good)):
        masked(context.root, name, mask)
    examples = DATASETS.get("masks")(context, path=".", values=VALUES)
    assert examples.ids.tolist() == ["image/4.png", "image/10.png"], "in the order of the numbers"
    told = {item.item: item.reason for item in examples.quarantine}
    assert "8×16" in told["image/2.png"]
    assert "16×16" in told["image/2.png"]
    assert "the value 7 in row 4" in told["image/3.png"]
    assert np.array_equal(examples.targets[0], (good == 0).astype(np.uint8))


def test_tiles_hold_each_pixel_once_and_see_what_is_around_them() -> None:
    picture_ = np.arange(12 * 10, dtype=np.uint8).reshape(12, 10)
    tiling = Tiling(tile=5, margin=2)
    tiles, masks = tiling.tiles(picture_), tiling.tiles(picture_, fill=255)
    assert len(tiles) == len(masks) == 6
    assert {tile.shape for tile in [*tiles, *masks]} == {(9, 9)}
    counted = np.concatenate([mask[mask != 255] for mask in masks])
    assert np.array_equal(np.sort(counted), np.sort(picture_.ravel()))
    for tile, mask in zip(tiles, masks, strict=True):
        assert np.array_equal(tile[mask != 255], mask[mask != 255])
    # Inside the picture a margin is what is really there; at its edge it is mirrored.
    assert np.array_equal(tiles[0][2:, 7:], picture_[:7, 5:7])
    assert np.array_equal(tiles[0][2:, 1], picture_[:7, 1])


def test_neighbours_in_a_stack_and_tiles_of_a_picture_never_straddle_splits(
    context: ReadContext,
) -> None:
    for name in range(8):
        masked(context.root, str(name), np.eye(16) * 255)
    examples = DATASETS.get("masks")(context, path=".", values=VALUES, tile=8, margin=2, block=2)
    assert len(examples) == 8 * 4
    split = assign(examples, Splits(dev=0.25, test=0.25, train_dev=0)).split
    for block in range(4):
        names = [f"image/{one}.png" for one in (2 * block, 2 * block + 1)]
        assert len(set(split[np.isin(examples.metadata["picture"], names)])) == 1
    assert {"train", "dev", "test"} <= set(split)


@pytest.mark.parametrize("marks", ["boxes", "one-box", "mask", "corners", "digit", "crop"])
def test_no_digit_of_train_stands_in_a_scene_of_dev(context: ReadContext, marks: str) -> None:
    examples = digit_scenes(context, marks=marks, count=300)  # type: ignore[arg-type]
    check_examples(examples)
    split = assign(examples, Splits(dev=0.2, test=0.2)).split
    used = {
        name: set().union(*by_kind(examples.metadata[COLUMN][split == name])["digit"])
        for name in ("train", "train_dev", "dev", "test")
    }
    assert all(used.values())
    for name, digits in used.items():
        for other, others in used.items():
            assert name == other or not digits & others


def test_a_digit_read_in_two_steps_is_that_of_the_same_scene(context: ReadContext) -> None:
    placed = digit_scenes(context, marks="one-box", least=1, count=150)
    whole = digit_scenes(context, marks="digit", count=150)
    cut = digit_scenes(context, marks="crop", count=150)
    assert np.array_equal(placed.inputs, whole.inputs)
    assert np.array_equal(placed.targets[:, 0, 0].astype(int), whole.targets)
    assert np.array_equal(cut.targets, whole.targets)
    assert np.array_equal(cut.ids, placed.ids)
    assert cut.inputs.shape == (150, 1, 24, 24)
    for row in range(0, 150, 10):
        seen = framed(placed.inputs[row], placed.targets[row, 0, 1:], 24)
        assert np.array_equal(cut.inputs[row], seen)


def test_a_frame_is_a_square_with_a_margin() -> None:
    picture = np.zeros((2, 20, 30), np.uint8)
    picture[0, 4:12, 10:14] = 200
    seen = framed(picture, (10, 4, 14, 12), 26)  # 8 high, 10.4 with its margins
    assert seen.shape == (2, 26, 26)
    assert not seen[1].any()
    rows, columns = (np.flatnonzero((seen[0] > 100).any(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1]) == (3, 22)
    assert (columns[0], columns[-1]) == (8, 17)
    outside = framed(np.full((1, 8, 8), 255, np.uint8), (-8, -8, 0, 0), 13)
    assert outside[0, 0, 0] == 0
    assert outside[0, -1, -1] == 255


def test_boxes_of_a_scene_hold_its_ink_and_do_not_touch(context: ReadContext) -> None:
    boxes = digit_scenes(context, count=150)
    for found in boxes.targets:
        real = found[found[:, 0] >= 0]
        for i, one in enumerate(real):
            assert 4 <= one[3] - one[1] <= 32
            for other in real[:i]:
                apart = one[3] <= other[1] or other[3] <= one[1]
                assert apart or one[4] <= other[2] or other[4] <= one[2]
    counts = (boxes.targets[..., 0] >= 0).sum(1)
    assert np.array_equal(counts, boxes.metadata["digits"])
    assert set(counts) == {0, 1, 2, 3, 4}


def test_scenes_that_cannot_be_are_refused(context: ReadContext) -> None:
    for options in ({"count": 10}, {"side": 16}, {"least": 3, "most": 2}):
        with pytest.raises(DataError, match="digit-scenes"):
            digit_scenes(context, **options)  # type: ignore[arg-type]


@pytest.mark.usefixtures("home")
def test_real_sets_are_read_whole(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPWISE_DATA", str(data_folder))
    context = ReadContext(settings=Settings.read(), root=Path())
    cells = DATASETS.get("bccd")(context)
    counts = np.bincount(cells.targets[cells.targets[..., 0] >= 0][:, 0].astype(int))
    assert (len(cells), counts.tolist()) == (364, [4153, 372, 361])
    assert [item.item for item in cells.quarantine] == [
        "JPEGImages/BloodImage_00338.jpg: object 13",
        "JPEGImages/BloodImage_00343.jpg: object 4",
    ]
    faces = DATASETS.get("face-keypoints")(context)
    assert faces.targets.shape == (4232, 68, 2)
    assert faces.groups is not None
    assert len(set(faces.groups)) == 347
    sections = DATASETS.get("membrane")(context, tile=0, margin=0)
    assert sections.targets.shape == (30, 512, 512)
    assert set(np.unique(sections.targets)) == {0, 1}


@pytest.mark.parametrize("name", ["bccd", "face-keypoints", "membrane"])
def test_who_lacks_a_set_is_told_where_it_belongs(
    context: ReadContext, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GAPWISE_DATA", raising=False)
    bare = ReadContext(settings=Settings.read(), root=context.root)
    with pytest.raises(DataError, match="set GAPWISE_DATA to a folder of datasets"):
        DATASETS.get(name)(bare)
