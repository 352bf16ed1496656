"""docs/faults.md: every fault has its row, every row the tests that carry its number.

Run as a program, it writes the last column of the page anew.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "faults.md"
COUNTS = {"D": 15, "I": 10, "L": 6, "Y": 11, "C": 6, "T": 12, "S": 9, "K": 7, "W": 7, "G": 11,
          "B": 8, "A": 6, "N": 8, "X": 7}  # fmt: skip
"""How many faults there are of each kind."""

ROW = re.compile(r"^\| ([A-Z]\d+) \| (.*) \| (.*) \| (.*) \|$", re.MULTILINE)
NUMBERS = re.compile(r"test_((?:[a-z]\d+_)+)")


def shown_by() -> dict[str, list[str]]:
    """Return each number → the files of tests whose names carry it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match = NUMBERS.match(node.name) if isinstance(node, ast.FunctionDef) else None
            for number in match[1].upper().split("_")[:-1] if match else []:
                if number[0] in COUNTS:
                    found[number].add(path.relative_to(TESTS).as_posix())
    return {number: sorted(files) for number, files in found.items()}


def column(files: list[str]) -> str:
    return ", ".join(f"`{file}`" for file in files)


def test_every_fault_has_one_row_in_order() -> None:
    numbers = [row[0] for row in ROW.findall(PAGE.read_text(encoding="utf-8"))]
    assert numbers == [f"{kind}{n}" for kind, count in COUNTS.items() for n in range(1, count + 1)]


def test_every_row_is_shown_by_the_tests_that_carry_its_number() -> None:
    found = shown_by()
    for number, fault, happens, files in ROW.findall(PAGE.read_text(encoding="utf-8")):
        assert files == column(found.get(number, [])), f"{number}: run this file as a program"
        assert fault
        assert happens
        assert files, f"{number} has no test"


def test_every_test_with_a_number_has_a_row() -> None:
    rows = {row[0] for row in ROW.findall(PAGE.read_text(encoding="utf-8"))}
    assert set(shown_by()) <= rows


if __name__ == "__main__":
    found = shown_by()
    PAGE.write_text(
        ROW.sub(
            lambda row: f"| {row[1]} | {row[2]} | {row[3]} | {column(found.get(row[1], []))} |",
            PAGE.read_text(encoding="utf-8"),
        ),
        encoding="utf-8",
    )
