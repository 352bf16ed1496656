"""`gapwise data` and `gapwise split` on real pictures, and how they look on a terminal."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gapwise.errors import UsageError
from gapwise.terminal.data import show_data_report
from gapwise.terminal.pictures import ascii_picture, half_blocks
from gapwise.workflows.init import init
from gapwise.workflows.inspect import inspect_data, inspect_split

WritePhotos = Callable[[Path, int], list[Path]]


@pytest.fixture
def pipeline(here: Path, write_photos: WritePhotos) -> str:
    write_photos(Path("photos"), 300)
    return str(init(Path("photos")))


def _table(document: dict, title: str) -> dict:
    return next(table for table in document["tables"] if table["title"].startswith(title))


def test_data_shows_shapes_ranges_classes_and_pictures(pipeline: str) -> None:
    document = json.loads(json.dumps(inspect_data(pipeline), allow_nan=False))
    assert document["n"] == 300
    assert document["input_shape"] == [1, 8, 8]
    assert "300 pictures of 1×8×8 (uint8), 10 classes" in document["lines"][0]
    assert _table(document, "Ranges")["rows"] == [["channel 0", "0", "77.87", "255"]]
    assert sum(int(row[1]) for row in _table(document, "Classes")["rows"]) == 300
    assert len(document["samples"]) == 8
    picture = document["samples"][0]["pixels"]
    assert (len(picture), len(picture[0])) == (8, 8)


def test_i1_bad_pictures_are_counted_and_named(pipeline: str) -> None:
    path = next(Path("photos/one").iterdir())
    path.write_bytes(path.read_bytes()[:60])
    document = inspect_data(pipeline)
    assert document["quarantine"] == {"truncated": 1}
    assert _table(document, "Set aside")["rows"][0][0] == f"one/{path.name}"


def test_d4_equal_pictures_across_splits_are_shown_not_refused(pipeline: str) -> None:
    for index in range(12):
        shutil.copy("photos/one/0001.png", f"photos/one/copy{index}.png")
    document = inspect_data(pipeline)
    assert document["duplicates"]["count"] == 1
    assert any("DUPLICATES: 1 inputs" in line and "stops" in line for line in document["lines"])
    assert _table(document, "Equal inputs")["rows"][0][2] == "same"
    dropped = inspect_split(pipeline, ["data.duplicates=drop"])
    assert dropped["splits"][""] != {}


def test_split_shows_counts_and_what_they_can_tell(pipeline: str) -> None:
    document = json.loads(json.dumps(inspect_split(pipeline, ["splits.dev=50"]), allow_nan=False))
    assert document["splits"]["dev"] == {"photos": 50}
    assert _table(document, "Splits by source")["rows"][2] == ["dev", "50", "50"]
    widths = _table(document, "95 % interval")["rows"]
    # Wilson at 5 of 50: 4.35 % to 21.4 %.
    assert (widths[1][:2], widths[1][4]) == (["dev", "50"], "± 8.5")
    advice = _table(document, "Dev examples")
    assert advice["columns"][2] == "dev has 50"
    assert all("too few" in row[2] for row in advice["rows"])


def test_copies_that_training_adds_are_announced(home: Path) -> None:
    document = inspect_split("digits", ["data.synthesize=camera"])
    assert any("adds synthesized copies (camera)" in line for line in document["lines"])


def test_saved_cuts_move_nobody_when_data_is_added(
    pipeline: str, write_photos: WritePhotos
) -> None:
    before = inspect_split(pipeline, ["splits.dev=50", "splits.test=50"], Path("cuts.json"))
    pinned = ["splits.dev=50", "splits.test=50", "splits.cuts=cuts.json"]
    assert inspect_split(pipeline, pinned)["digest"] == before["digest"]
    write_photos(Path("photos"), 400)
    counts = inspect_split(pipeline, pinned)["splits"]
    assert counts["dev"]["photos"] > 50
    with pytest.raises(UsageError, match=r"cuts\.json is there already"):
        inspect_split(pipeline, pinned, Path("cuts.json"))


def test_names_in_data_are_text_on_the_terminal(
    here: Path, write_photos: WritePhotos, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), 60)
    Path("photos/one").rename("photos/[red]one[")
    show_data_report(dict(inspect_data(str(init(Path("photos"))))))
    out = capsys.readouterr().out
    assert "[red]one[" in out
    assert "@@" in out  # pictures as ASCII, since this is no terminal


def test_pictures_as_text() -> None:
    assert ascii_picture([[0, 255], [128, [255, 255, 255]]]) == ["  @@", "++@@"]
    lines = half_blocks([[0, 255], [128, 1], [7, 7]])
    assert [line.plain for line in lines] == ["▀▀", "▀▀"]
    assert str(lines[0].spans[0].style) == "rgb(0,0,0) on rgb(128,128,128)"
    assert str(lines[1].spans[0].style) == "rgb(7,7,7)"
