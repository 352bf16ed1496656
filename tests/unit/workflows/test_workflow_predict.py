"""`gapwise predict` with runs trained on real pictures and on rows."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gapwise.errors import DataError, UsageError
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.foreign import by_split
from gapwise.workflows.foreign_table import read_table
from gapwise.workflows.predict import predict
from gapwise.workflows.record import RecordRequest, record_file

Shop = Any
WriteCsv = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_same_pictures_get_the_same_predictions(photo_shop: Shop, folder: Path) -> None:
    out, count, bad = predict(
        photo_shop.run, photo_shop.folder / "photos", settings=photo_shop.settings
    )
    assert (out, count, bad) == (Path("predictions.parquet"), 600, 0)
    found = tables.read(out)
    run = RunStore(photo_shop.settings).open(photo_shop.run)
    stored = tables.read(run.predictions_path("dev"))
    rows = {str(name): row for row, name in enumerate(found.example_id)}
    order = [rows[str(name)] for name in stored.example_id]
    assert found.classes == stored.classes
    assert np.array_equal(found.predicted[order], stored.predicted)
    assert np.array_equal(found.target[order], stored.target)
    assert np.array_equal(found.error[order], stored.error)
    assert np.allclose(found.scores[order], stored.scores, atol=1e-5)
    assert np.allclose(found.loss[order], stored.loss, atol=1e-4)


def test_pictures_of_unknown_class_in_any_folder(photo_shop: Shop, folder: Path) -> None:
    photos = photo_shop.folder / "photos"
    (folder / "new" / "deep").mkdir(parents=True)
    shutil.copy(photos / "zero" / "0000.png", folder / "new" / "deep" / "a.png")
    shutil.copy(photos / "one" / "0001.png", folder / "new" / "b.png")
    (folder / "new" / "bad.png").write_bytes((photos / "one" / "0001.png").read_bytes()[:60])
    out, count, bad = predict(
        photo_shop.run, Path("new"), Path("p.csv"), settings=photo_shop.settings
    )
    assert (count, bad) == (2, 1)
    table = pd.read_csv(out)
    assert table["example_id"].tolist() == ["b.png", "deep/a.png"]
    assert table["predicted"].tolist() == ["one", "zero"]
    assert not {"target", "error", "loss"} & set(table.columns)
    scores = table[[f"score_{name}" for name in ("one", "zero")]].to_numpy()
    assert scores[0, 0] > 0.5
    assert scores[1, 1] > 0.5
    aside = json.loads(Path("p.quarantine.jsonl").read_text(encoding="utf-8"))
    assert (aside["item"], aside["code"]) == ("bad.png", "truncated")


def test_known_labels_are_used_and_missing_ones_left_empty(
    photo_shop: Shop, folder: Path, write_csv: WriteCsv
) -> None:
    photos = photo_shop.folder
    rows = [["photos/zero/0000.png", "zero", "a"], ["photos/one/0001.png", "", "b"]]
    manifest = write_csv(photos / "new.csv", ["path", "class", "shop"], rows)
    out, _, _ = predict(photo_shop.run, manifest, settings=photo_shop.settings)
    table = pd.read_parquet(out)
    assert table["target"].tolist()[0] == "zero"
    assert table["target"].isna().tolist() == [False, True]
    assert table["error"].isna().tolist() == [False, True]
    assert table["shop"].tolist() == ["a", "b"]


def test_l1_a_label_that_is_no_class_names_the_row(
    photo_shop: Shop, folder: Path, write_csv: WriteCsv
) -> None:
    rows = [["photos/zero/0000.png", "zero"], ["photos/one/0001.png", "onne"]]
    manifest = write_csv(photo_shop.folder / "typo.csv", ["image", "label"], rows)
    with pytest.raises(DataError, match=r"typo\.csv:3: label onne .*nearest are one"):
        predict(photo_shop.run, manifest, settings=photo_shop.settings)
    assert not Path("predictions.parquet").exists()


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_table_with_a_split_can_be_recorded(
    photo_shop: Shop, folder: Path, write_csv: WriteCsv, name: str
) -> None:
    photos = sorted((photo_shop.folder / "photos").rglob("*.png"))[::20]
    rows = [[path.relative_to(photo_shop.folder), path.parent.name, "dev"] for path in photos]
    manifest = write_csv(photo_shop.folder / f"split-{name}.csv", ["image", "label", "split"], rows)
    out, _, _ = predict(photo_shop.run, manifest, Path(name), settings=photo_shop.settings)
    split = by_split(read_table(out), (), where=name)["dev"]
    assert len(split) == 30
    assert np.array_equal(split.error, (split.predicted != split.target).astype(float))


def test_rows_are_encoded_as_in_training(row_shop: Shop, folder: Path, write_csv: WriteCsv) -> None:
    out, count, bad = predict(
        row_shop.run, row_shop.folder / "rows.csv", settings=row_shop.settings
    )
    assert (count, bad) == (400, 0)
    found = tables.read(out)
    stored = tables.read(RunStore(row_shop.settings).open(row_shop.run).predictions_path("train"))
    rows = {str(name): row for row, name in enumerate(found.example_id)}
    order = [rows[str(name)] for name in stored.example_id]
    assert np.allclose(found.scores[order], stored.scores, atol=1e-5)
    # A missing width has a place of its own since one was missing in training; a size never was.
    new = [["n0", "", "left", 1], ["n1", "0.5", "up", 1], ["n2", "0.5", "right", ""]]
    table = write_csv(folder / "new.csv", ["id", "width", "side", "size"], new)
    out, count, bad = predict(row_shop.run, table, Path("new.parquet"), settings=row_shop.settings)
    assert (count, bad) == (1, 2)
    assert pd.read_parquet(out)["example_id"].tolist() == ["n0"]
    lines = Path("new.quarantine.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["new-category", "missing"]


def test_a_column_that_training_had_must_be_there(
    row_shop: Shop, folder: Path, write_csv: WriteCsv
) -> None:
    table = write_csv(folder / "new.csv", ["id", "witdh", "side", "size"], [["a", 1, "left", 1]])
    with pytest.raises(DataError, match=r"no column width.*did you mean witdh"):
        predict(row_shop.run, table, settings=row_shop.settings)


def test_c2_outputs_that_cannot_be_used(photo_shop: Shop, folder: Path) -> None:
    photos, settings = photo_shop.folder / "photos", photo_shop.settings
    Path("predictions.parquet").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="already; name a file with --output"):
        predict(photo_shop.run, photos, settings=settings)
    with pytest.raises(UsageError, match=r"must end in \.parquet or \.csv"):
        predict(photo_shop.run, photos, Path("p.txt"), settings=settings)
    with pytest.raises(UsageError, match="there is no folder nowhere"):
        predict(photo_shop.run, photos, Path("nowhere/p.csv"), settings=settings)
    assert Path("predictions.parquet").read_text(encoding="utf-8") == "mine"


def test_inputs_of_the_wrong_kind(
    photo_shop: Shop, row_shop: Shop, folder: Path, write_csv: WriteCsv
) -> None:
    with pytest.raises(DataError, match="takes rows of features"):
        predict(row_shop.run, photo_shop.folder / "photos", settings=row_shop.settings)
    with pytest.raises(DataError, match="no column of image paths"):
        predict(photo_shop.run, row_shop.folder / "rows.csv", settings=photo_shop.settings)
    table = write_csv(
        folder / "t.csv", ["example_id", "split", "target", "predicted"], [[1, "dev", 0, 1]]
    )
    recorded = record_file(RecordRequest(file=table), row_shop.settings)
    with pytest.raises(UsageError, match="has no network here: its predictions were recorded"):
        predict(recorded, photo_shop.folder / "photos", settings=row_shop.settings)
    with pytest.raises(DataError, match="neither a folder nor a file"):
        predict(photo_shop.run, Path("gone"), settings=photo_shop.settings)
