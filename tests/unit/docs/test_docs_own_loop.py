"""The code of docs/own-loop.md runs as it stands there, and gives what the page says."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

PAGE = Path(__file__).parents[3] / "docs" / "own-loop.md"


def test_the_page_runs_and_diagnoses(home: Path, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    report = names["report"]
    assert [rung["rung"] for rung in report["ladder"]] == ["human", "train", "dev"]
    assert [gap["name"] for gap in report["gaps"]] == ["avoidable_bias", "variance"]
    assert isinstance(report.ladder, pd.DataFrame)
    assert report.ladder.loc["dev", "n"] == 797
    assert "<table" in report._repr_html_()
