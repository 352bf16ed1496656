"""`gapwise bayes` over trained runs, `diagnose --by`, and named human levels from outside."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import DataError, UsageError
from gapwise.workflows.bayes import bayes
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.record import parse_human


def test_pictures_and_rows_have_a_bound_and_annotators_an_error(
    photo_shop: Any, row_shop: Any, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("example_id,annotator,label\na,x,1\na,y,1\nb,x,1\nb,y,2\nc,x,1\n")
    found = bayes(photo_shop.run, answers, settings=photo_shop.settings)
    assert found.nearest_neighbour is not None
    assert found.nearest_neighbour_error is not None
    # Nearest neighbours tell scikit-learn's digits apart in all but a few of a hundred.
    assert 0 <= found.nearest_neighbour.error <= found.nearest_neighbour_error < 0.15
    assert found.annotators is not None
    assert (found.annotators.error, found.annotators.n) == (0.5, 2)
    document = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert "no verdict rests on them" in document["says"][-1]
    rows = bayes(row_shop.run, settings=row_shop.settings)
    assert rows.nearest_neighbour is not None
    assert rows.annotators is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("example,annotator,label\n", "no column 'example_id'"),
        ("example_id,annotator,label\na,x,1\na,x,2\n", "answers a twice|answers 'a' twice"),
    ],
)
def test_annotations_that_cannot_be_read_are_told(
    photo_shop: Any, tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=says):
        bayes(photo_shop.run, path, settings=photo_shop.settings)
    with pytest.raises(DataError, match="cannot be read"):
        bayes(photo_shop.run, tmp_path / "none.csv", settings=photo_shop.settings)


def test_diagnose_by_class_and_by_what_is_nothing(photo_shop: Any) -> None:
    found = diagnose_runs([photo_shop.run], by="class", settings=photo_shop.settings)
    parts = found.extra["by"]["class"]
    assert len(parts) == 10
    assert {"part", "ladder"} == set(parts[0])
    with pytest.raises(UsageError, match="write class or source"):
        diagnose_runs([photo_shop.run], by="sauce", settings=photo_shop.settings)


def test_the_command_line_says_both(photo_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HOME", photo_shop.settings.home), ("CACHE", photo_shop.settings.cache)):
        monkeypatch.setenv(f"GAPWISE_{name}", str(value))
    shown = CliRunner().invoke(app, ["bayes", photo_shop.run])
    assert shown.exit_code == 0, shown.output
    assert "Cover and Hart 1967" in shown.stdout
    by = CliRunner().invoke(app, ["diagnose", photo_shop.run, "--by", "class"])
    assert by.exit_code == 0, by.output
    assert "seven" in by.stdout


def test_a_human_level_has_a_name() -> None:
    level = parse_human("0.01:500:target:expert")
    assert (level.name, level.distribution, level.n) == ("expert", "target", 500)
    assert parse_human("0.01:500").name == ""
    with pytest.raises(UsageError, match=r"0\.01:500:train:expert"):
        parse_human("0.01:500:nowhere:expert")
