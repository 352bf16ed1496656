"""`gapwise init` on data as people have it: what it guesses, and that the file trains."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gapwise import pipeline_file
from gapwise.data import load
from gapwise.errors import DataError, UsageError
from gapwise.settings import Settings
from gapwise.workflows.first_values import first_values
from gapwise.workflows.guess import Guess
from gapwise.workflows.init import init, value

WriteCsv = Callable[..., Path]
WritePhotos = Callable[[Path, int], list[Path]]


def _examples(path: Path) -> object:
    return load.read(pipeline_file.load(str(path)), Settings.read(), Path.cwd())


def test_a_folder_by_class_gets_a_pipeline_that_loads(
    here: Path, write_photos: WritePhotos
) -> None:
    write_photos(Path("My Photos"), 100)
    path = init(Path("My Photos"))
    assert path == Path("pipelines/my-photos.yaml")
    pipeline = pipeline_file.load("my-photos")
    assert pipeline.data.dataset.name == "folder"
    assert pipeline.data.dataset.options["path"] == "My Photos"
    assert (pipeline.splits.dev, pipeline.splits.test) == (0.2, 0.2)
    examples = _examples(path)
    assert examples.inputs.shape == (100, 1, 8, 8)
    assert len(examples.classes) == 10


def test_a_manifest_of_images_with_columns_under_other_names(
    here: Path, write_photos: WritePhotos, write_csv: WriteCsv
) -> None:
    paths = write_photos(Path("pictures"), 90)
    rows = [
        [path, path.parent.name, f"d{i}", "phone" if i < 30 else "scan", f"w{i // 3}", "anna"]
        for i, path in enumerate(paths)
    ]
    header = ["File", "class", "uid", "domain", "writer", "annotator"]
    manifest = write_csv(Path("data.csv"), header, rows)
    text = init(manifest).read_text(encoding="utf-8")
    pipeline = pipeline_file.load("data")
    assert pipeline.data.dataset.options["columns"] == {
        "label": "class", "id": "uid", "source": "domain", "group": "writer", "image": "File",
    }  # fmt: skip
    assert pipeline.splits.target == "phone"
    assert "CHOOSE the source" in text
    assert "Kept for slicing: annotator." in text
    examples = _examples(Path("pipelines/data.yaml"))
    assert len(examples) == 90
    assert examples.ids[0] == "d0"
    assert set(examples.sources) == {"phone", "scan"}
    assert examples.groups is not None


def test_rows_of_numbers_and_categories_become_features(here: Path, write_csv: WriteCsv) -> None:
    rows = [[i, i / 3, "ab"[i % 2], f"note {i}", 1 + i // 10, "xy"[i % 2]] for i in range(40)]
    header = ["id", "width", "side", "remark", "patient_id", "label"]
    path = init(write_csv(Path("rows.csv"), header, rows))
    pipeline = pipeline_file.load(str(path))
    assert pipeline.data.dataset.options["features"] == ["width", "side"]
    assert pipeline.data.dataset.options["columns"] == {"group": "patient_id"}
    assert pipeline.network.name == "multilayer-perceptron"
    assert _examples(path).feature_names == ("width", "side=a", "side=b")


def test_what_is_there_is_never_overwritten(here: Path, write_photos: WritePhotos) -> None:
    write_photos(Path("photos"), 40)
    path = init(Path("photos"))
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"photos\.yaml is there already; .* --output"):
        init(Path("photos"))
    assert path.read_text(encoding="utf-8") == "mine"
    assert init(Path("photos"), Path("other.yaml")).is_file()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["width", "height"], "has no column called label, .*its columns are width, height"),
        (["class", "target"], "each of the columns class, target could be the label"),
        (["label", "remark"], "neither a column of image paths .* its columns are label, remark"),
    ],
)
def test_what_cannot_be_told_is_one_sentence_with_the_columns(
    here: Path, write_csv: WriteCsv, header: list[str], said: str
) -> None:
    rows = [["ab"[i % 2], f"text {i}"] for i in range(200)]
    with pytest.raises(DataError, match=said) as caught:
        init(write_csv(Path("t.csv"), header, rows))
    assert "\n" not in str(caught.value)
    assert not Path("pipelines").exists()


def test_a_label_of_its_own_on_every_row_is_refused(here: Path, write_csv: WriteCsv) -> None:
    rows = [[i, f"home {i}"] for i in range(100)]
    with pytest.raises(DataError, match="holds 100 different values in 100 rows"):
        init(write_csv(Path("t.csv"), ["width", "label"], rows))


@pytest.mark.parametrize(
    ("labels", "error"),
    [
        ([0.5 + i for i in range(100)], "relative"),
        ([i - 50.5 for i in range(100)], "range"),
        ([17 + i % 60 for i in range(1800)], "relative"),  # ages: whole, but many and not from 0
    ],
)
def test_a_label_of_numbers_is_regressed_on(
    here: Path, write_csv: WriteCsv, labels: list[float], error: str
) -> None:
    rows = [[i, label] for i, label in enumerate(labels)]
    path = init(write_csv(Path("t.csv"), ["width", "label"], rows))
    pipeline = pipeline_file.load(str(path))
    assert pipeline.task.name == "regress"
    assert pipeline.task.options["error"] == error
    assert pipeline.data.dataset.options["target"] == "number"
    assert "numbers from" in path.read_text(encoding="utf-8")
    examples = _examples(path)
    assert examples.labels.kind == "number"
    assert examples.targets.tolist() == labels


@pytest.mark.parametrize(
    "labels",
    [
        [i % 2 for i in range(60)],
        [1955 + 5 * (i % 7) for i in range(60)],  # few: years of seven models
        [i % 100 for i in range(2500)],  # a hundred classes without a gap, 25 examples each
    ],
)
def test_few_whole_numbers_or_many_from_0_are_classes(
    here: Path, write_csv: WriteCsv, labels: list[int]
) -> None:
    rows = [[i, label] for i, label in enumerate(labels)]
    path = init(write_csv(Path("t.csv"), ["width", "label"], rows))
    assert pipeline_file.load(str(path)).task.name == "classify"
    assert len(_examples(path).classes) == len(set(labels))


def test_pictures_in_no_folders_by_class(here: Path, write_photos: WritePhotos) -> None:
    for path in write_photos(Path("photos"), 20):
        path.rename(Path("photos") / path.name)
    with pytest.raises(DataError, match=r"put them into photos/<class>/"):
        init(Path("photos"))


def test_names_in_data_cannot_write_yaml(here: Path, write_photos: WritePhotos) -> None:
    write_photos(Path("photos"), 30)
    evil = "x\nsplits: {dev: 0.4}\n#"
    Path("photos/zero").rename(Path("photos") / evil)
    path = init(Path("photos"), Path("p.yaml"))
    assert pipeline_file.load(str(path)).splits.dev == 0.2
    assert evil in _examples(path).classes


@pytest.mark.parametrize(
    "text", ["no", "1e-3", "a: b", "x # y", "ü", "", "~", "null", "a\nb", "0x1"]
)
def test_text_survives_yaml(here: Path, text: str) -> None:
    Path("p.yaml").write_text(
        "data: {dataset: {name: folder, path: " + value(text) + "}}\nnetwork: {name: small-cnn}\n",
        encoding="utf-8",
    )
    assert pipeline_file.load("p.yaml").data.dataset.options["path"] == text


def test_sizes_follow_the_notes_and_the_target() -> None:
    def values(count: int, target: int = 0) -> tuple[float, float]:
        sources = {"app": target, "web": count - target} if target else {}
        guess = Guess(
            reader="folder", options={}, says=(), classes={"a": count}, sources=sources,
            shape=(3, 32, 32),
        )  # fmt: skip
        found = first_values(guess)
        assert found.target == ("app" if target else None)
        return found.dev, found.test

    assert values(1_000) == (0.2, 0.2)
    assert values(1_000_000) == (0.01, 0.01)
    # Notes 4.13: of 10,000 pictures from the app, 2,500 each judge and the rest joins train.
    assert values(210_000, target=10_000) == (0.25, 0.25)


@pytest.mark.parametrize("side", [4, 8, 16, 28, 32, 64, 100])
def test_the_network_fits_the_picture(side: int) -> None:
    from gapwise.networks.base import NETWORKS, count_parameters

    guess = Guess(
        reader="folder", options={}, says=(), classes={"a": 9}, shape=(1, side, side)
    )  # fmt: skip
    part = dict(first_values(guess).network)
    network = NETWORKS.get(part.pop("name"))(input_shape=(1, side, side), outputs=3, **part)
    assert count_parameters(network) > 0
