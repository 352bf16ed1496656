"""The commands of docs/report-and-gate.md run as they stand there."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gapwise.cli import app

PAGE = Path(__file__).parents[3] / "docs" / "report-and-gate.md"
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
]


def predictions(path: Path, wrong: int) -> None:
    target = np.arange(400) % 2
    predicted = np.where(np.arange(400) < wrong, 1 - target, target)
    columns = {"example_id": np.arange(400), "split": "dev"}
    pd.DataFrame(columns | {"target": target, "predicted": predicted}).to_csv(path, index=False)


@pytest.mark.parametrize(("wrong", "exit_code"), [(50, 0), (110, 1)])
def test_the_gate_opens_for_a_good_run_and_stays_shut_for_a_worse_one(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: int, exit_code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    record, check = COMMANDS[0][1:], COMMANDS[1][1:]
    for name, errors in (("before", 52), ("candidate", wrong)):
        predictions(Path("predictions.csv"), errors)
        words = [name if word == "candidate" else word for word in record]
        assert CliRunner().invoke(app, words).exit_code == 0
    assert CliRunner().invoke(app, check).exit_code == exit_code
    assert Path("reports/gapwise.xml").is_file()


def test_every_command_knows_its_words(home: Path) -> None:
    for words in COMMANDS:
        assert words[0] == "gapwise"
        done = CliRunner().invoke(app, words[1:])
        assert "No such option" not in done.output
        assert "No such command" not in done.output
