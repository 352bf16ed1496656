"""Crops and augmentation from the pipeline's file to stored and new predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gapwise.errors import PipelineError
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.predict import predict
from gapwise.workflows.prepare import ready
from gapwise.workflows.train import train

Shop = Any
QUICK = ("training.epochs=3", "training.threads=1", "training.device=cpu")


def test_new_pictures_are_seen_in_as_many_crops_as_the_stored_ones(
    photo_shop: Shop, tmp_path: Path
) -> None:
    overrides = [*QUICK, "prediction.crops=5", "prediction.margin=1"]
    pipeline = str(photo_shop.folder / "photos.yaml")
    (run_id,) = train(pipeline, overrides, settings=photo_shop.settings).run_ids
    run = RunStore(photo_shop.settings).open(run_id)
    stored = tables.read(run.predictions_path("dev"))
    photos = photo_shop.folder / "photos"
    found = tables.read(
        predict(run_id, photos, tmp_path / "p.parquet", settings=photo_shop.settings)[0]
    )
    rows = {str(name): row for row, name in enumerate(found.example_id)}
    order = [rows[str(name)] for name in stored.example_id]
    assert np.allclose(found.scores[order], stored.scores, atol=1e-5)
    assert np.allclose(found.loss[order], stored.loss, atol=1e-4)
    # The same network and seed without crops: same weights, other scores.
    alone = tables.read(RunStore(photo_shop.settings).open(photo_shop.run).predictions_path("dev"))
    assert np.array_equal(alone.example_id, stored.example_id)
    assert not np.allclose(alone.scores, stored.scores, atol=1e-3)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("training.augmentation.rotation=10", "augmentation.rotation is 10.0, but .* features"),
        ("prediction.crops=10", "prediction.crops is 10, but .* features"),
    ],
)
def test_rows_are_refused_before_a_run_is_made(
    row_shop: Shop, monkeypatch: pytest.MonkeyPatch, override: str, says: str
) -> None:
    monkeypatch.chdir(row_shop.folder)
    runs = len(RunStore(row_shop.settings).rows())
    with pytest.raises(PipelineError, match=says):
        ready("rows.yaml", row_shop.settings, [override])
    assert len(RunStore(row_shop.settings).rows()) == runs


def test_what_leaves_nothing_of_digits_is_refused(home: Path) -> None:
    with pytest.raises(PipelineError, match="shift is 8 pixels"):
        ready("digits", Settings.read(), ["training.augmentation.shift=8"])
