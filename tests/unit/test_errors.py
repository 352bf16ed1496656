import inspect
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapwise import errors
from gapwise.errors import GapwiseError, did_you_mean, nearest, shown

TREE = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, GapwiseError)
}


def test_the_tree_is_drawn_in_the_docstring() -> None:
    for name in TREE:
        assert name in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("CheckError", 1), ("UsageError", 2), ("PipelineError", 2), ("DataError", 3),
        ("QuarantineError", 4), ("StorageError", 5), ("BusyError", 5), ("ServiceError", 6),
    ],
)  # fmt: skip
def test_exit_codes(name: str, code: int) -> None:
    assert TREE[name].exit_code == code


@given(st.text(), st.integers(5, 100))
def test_shown_is_one_printable_line(text: str, limit: int) -> None:
    told = shown(text, limit)
    assert len(told) <= limit
    assert told.isprintable()
    told.encode("utf-8")


def test_shown_keeps_what_is_fine() -> None:
    assert shown("café 日本") == "café 日本"
    assert shown("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert shown("x" * 100) == "x" * 79 + "…"
    assert shown(5) == "5"


def test_shown_never_cuts_a_path() -> None:
    path = Path("/" + "long/" * 30 + "weights\x1b.pt")
    assert shown(path) == "/" + "long/" * 30 + "weights\\x1b.pt"


def test_nearest_first() -> None:
    assert nearest("epohs", ["epochs", "batch_size", "device"]) == ["epochs"]
    assert did_you_mean("epohs", ["epochs"]) == "did you mean epochs?"
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("zzz", []) == "none are known"
    assert did_you_mean("label", ["label\x1b[2J"]) == "did you mean label\\x1b[2J?"
    assert did_you_mean("zzz", ["a\0"]) == "known: a\\x00"
    many = [f"n{i:02d}" for i in range(30)]
    assert did_you_mean("zzz", many).endswith("n13 and 16 more"), "a sentence, not a catalogue"
