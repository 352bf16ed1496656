"""The notes' own ladders read as the notes read them."""

import json
from pathlib import Path
from typing import Any

import pytest

from gapwise.diagnostics.errors_by_split import SplitErrors
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.ladder import diagnose
from gapwise.records import SPLITS, HumanLevel

LADDERS = json.loads((Path(__file__).parent / "ladders.json").read_text())["ladders"]


@pytest.mark.parametrize("golden", LADDERS, ids=lambda golden: golden["name"])
def test_ladder_reads_as_in_the_notes(golden: dict[str, Any]) -> None:
    splits = {
        split: (SplitErrors(n=n, rate=wrong / n, wrong=wrong),)
        for split, (wrong, n) in ((s, golden[s]) for s in SPLITS if s in golden)
    }
    human = (HumanLevel(error=golden["human"]),) if "human" in golden else ()
    evidence = Evidence(
        run_ids=("golden",),
        splits=splits,
        human=human,
        same_distribution=golden.get("same", False),
    )
    diagnosis = diagnose(evidence)
    assert diagnosis.verdict == golden["verdict"]
    assert diagnosis.decided == (golden["verdict"] != "undecided")
    assert [gap.name for gap in diagnosis.gaps if gap.is_high] == golden["high"]
    named = {f.evidence.get("gap") for f in diagnosis.findings}
    assert set(golden["high"]) <= named
