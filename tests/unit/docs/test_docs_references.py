"""docs/references.md holds every reference of the notes, and everybody whom a docstring names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "references.md").read_text(encoding="utf-8")
STATISTICS = (ROOT / "docs" / "diagnosis.md").read_text(encoding="utf-8")
NAME = r"\b[A-Z][\w'’-]+"
CITED = re.compile(
    rf"((?:{NAME}(?:, | and | et al\.? ?)?)*{NAME}(?: et al\.)?),? \(?((?:19|20)\d\d)\b"
)
LINKS = [
    *("tensorflow.org/guide/keras/sequential_model", "tensorflow.org/guide/keras/functional"),
    *("1512.03385", "resnet50.py", "1704.04861", "1801.04381", "1905.11946", "1506.02640"),
    *("1612.08242", "YAD2K", "pjreddie.com/darknet/yolo", "1701.08816", "1705.03820", "1505.04597"),
    *("1503.03832", "deepface-closing-the-gap", "davidsandberg/facenet", "machinelearningmastery"),
    *("tf_to_keras.ipynb", "1508.06576", "artistic-style-transfer", "chioka.in", "1409.1556"),
    "vlfeat.org/matconvnet/pretrained",
]
FILES = sorted((ROOT / "platform" / "gapwise").rglob("*.py"))


def cited(path: Path) -> list[tuple[str, str]]:
    """Return the first author and the year of each citation in a file."""
    text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))
    return [(re.split(r"[ ,]", names)[0], year) for names, year in CITED.findall(text)]


def listed(author: str, year: str) -> bool:
    lines = [*PAGE.splitlines(), *re.split(r"\n(?=\d+\.)", STATISTICS)]
    return any(author in line and year in line for line in lines)


@pytest.mark.parametrize("link", LINKS)
def test_every_reference_of_the_notes_is_linked(link: str) -> None:
    assert link in PAGE


def test_whoever_a_docstring_names_is_listed() -> None:
    missing = [
        f"{path.name}: {author} {year}"
        for path in FILES
        for author, year in cited(path)
        if not listed(author, year)
    ]
    assert missing == []


def test_citations_are_found() -> None:
    found = {entry for path in FILES for entry in cited(path)}
    assert {("He", "2015"), ("Kingma", "2015"), ("Wilson", "1927")} <= found
