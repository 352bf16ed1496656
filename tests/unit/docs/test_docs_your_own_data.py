"""The commands and the code of docs/your-own-data.md run on a folder of real pictures."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from typer.testing import CliRunner

from gapwise.cli import app

PAGE = Path(__file__).parents[3] / "docs" / "your-own-data.md"


def test_the_page_takes_a_folder_to_a_diagnosis_and_a_network(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    digits = load_digits()
    for index in range(200):
        image = Image.fromarray(np.rint(digits.images[index] * 255 / 16).astype(np.uint8))
        folders = [Path("photos") / f"digit {digits.target[index]}"]
        if index < 5:
            folders.append(Path("new-photos"))
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            image.save(folder / f"{index}.png")
    text = PAGE.read_text(encoding="utf-8")
    commands = "".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL)).splitlines()
    assert len(commands) == 9
    for command in commands:
        arguments = shlex.split(command)[1:]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, f"{command}: {result.output} {result.exception}"
    assert Path("predictions.parquet").is_file()
    assert len(Path("new.csv").read_text(encoding="utf-8").splitlines()) == 6
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, names)
    assert names["network"].spec.classes[0] == "digit 0"  # type: ignore[attr-defined]
