"""`gapwise suspects` over trained and recorded runs."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import DataError, UsageError
from gapwise.ledger import looks
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows.record import RecordRequest, record_file
from gapwise.workflows.suspects import suspects


def test_every_example_is_ranked_and_the_look_at_test_counted(photo_shop: Any) -> None:
    settings = photo_shop.settings
    run = RunStore(settings).open(photo_shop.run)
    ledger = Ledger(settings.ledger_url)
    before = looks.count(ledger, run.dataset)
    found = suspects(photo_shop.run, settings=settings).found
    ranked = [one.suspicion for one in found]
    assert ranked == sorted(ranked, reverse=True)
    assert {one.split for one in found} == set(run.splits())
    assert all(one.given != one.suggested for one in found)
    assert looks.count(ledger, run.dataset) == before + 1
    dev = suspects(photo_shop.run, ["dev"], 3, settings=settings).found
    assert [one.split for one in dev] == ["dev"] * 3
    assert looks.count(ledger, run.dataset) == before + 1


@pytest.mark.parametrize(
    ("splits", "limit", "says"),
    [(["dve"], None, "did you mean dev"), ([], 0, "write 1 or more")],
)
def test_what_is_none_is_told(photo_shop: Any, splits: list[str], limit: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        suspects(photo_shop.run, splits, limit, settings=photo_shop.settings)


def record(tmp_path: Path, **columns: Any) -> str:
    path = tmp_path / "p.csv"
    rows = {"split": ["dev", "dev"], "example_id": ["x", "y"], "target": ["cat", "dog"]}
    pd.DataFrame(rows | columns).to_csv(path, index=False)
    return record_file(RecordRequest(file=path, dataset="d"), settings=Settings.read())


def test_the_document_is_the_contract(home: Path, tmp_path: Path) -> None:
    run = record(tmp_path, predicted=["dog", "dog"], score_cat=[0.2, 0.1], score_dog=[0.8, 0.9])
    done = CliRunner().invoke(app, ["suspects", run, "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert [list(one) for one in document] == [
        ["example_id", "split", "given", "suggested", "suspicion"]
    ] * 2
    first = document[0]
    assert (first["example_id"], first["given"], first["suggested"]) == ("x", "cat", "dog")
    assert first["suspicion"] == pytest.approx(0.8)
    assert (
        len(json.loads(CliRunner().invoke(app, ["suspects", run, "--json", "--limit", "1"]).stdout))
        == 1
    )
    assert "disputes 1" in CliRunner().invoke(app, ["suspects", run]).stdout


def test_a_run_without_scores_is_told(home: Path, tmp_path: Path) -> None:
    run = record(tmp_path, predicted=["dog", "dog"])
    with pytest.raises(DataError, match="has no scores of two classes"):
        suspects(run)
