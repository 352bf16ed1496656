import math
import time
import tracemalloc
from pathlib import Path

import pytest

from gapwise import yaml_reader
from gapwise.errors import PipelineError

SPELLINGS = [
    ("1e-3", 0.001), ("1E5", 100000.0), ("+1e3", 1000.0), ("-1.5e+2", -150.0), (".5", 0.5),
    ("1.", 1.0), ("-.5", -0.5), ("3.14", 3.14), ("0", 0), ("-0", 0), ("+12", 12), ("012", 12),
    ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"), ("0b1", "0b1"), ("1:30", "1:30"),
    ("190:20:30.15", "190:20:30.15"), ("no", "no"), ("No", "No"), ("off", "off"), ("yes", "yes"),
    ("on", "on"), ("y", "y"), ("n", "n"), ("true", True), ("True", True), ("TRUE", True),
    ("tRue", "tRue"), ("false", False), ("FALSE", False), ("null", None), ("Null", None),
    ("NULL", None), ("~", None), ("", None), ("nULL", "nULL"), ("2001-01-01", "2001-01-01"),
    (".inf", math.inf), ("-.INF", -math.inf), ("inf", "inf"), ("nan", "nan"), ("1e", "1e"),
    ("e3", "e3"), ("0x", "0x"), ("0o8", "0o8"), ("=", "="), ("<<", "<<"), ("1.2.3", "1.2.3"),
    ("'5'", "5"), ('"null"', "null"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SPELLINGS)
def test_y1_core_schema(text: str, value: object) -> None:
    read = yaml_reader.read(f"a: {text}", "f").value["a"]
    assert read == value
    assert type(read) is type(value)


def test_y1_not_a_number() -> None:
    assert math.isnan(yaml_reader.read(".nan", "f").value)


def test_y1_a_number_of_many_digits_stays_text() -> None:
    assert isinstance(yaml_reader.read("9" * 5000, "f").value, str)


def test_places_are_those_of_the_keys() -> None:
    document = yaml_reader.read("a: 1\nb:\n  c:\n    - 2\n    - d: 3\n", "f.yaml")
    assert document.places[("a",)] == "f.yaml:1:1"
    assert document.places[("b", "c")] == "f.yaml:3:3"
    assert document.places[("b", "c", 0)] == "f.yaml:4:7"
    assert document.places[("b", "c", 1, "d")] == "f.yaml:5:7"


def test_y2_repeated_key_names_both_lines() -> None:
    with pytest.raises(PipelineError, match=r"^f:4:3: a\.b: stands on line 2 and again on line 4"):
        yaml_reader.read("a:\n  b: 1\n  c: 2\n  b: 3\n", "f")


def test_y2_a_key_and_its_quoted_twin_are_one() -> None:
    with pytest.raises(PipelineError, match="again on line 2"):
        yaml_reader.read("a: 1\n'a': 2\n", "f")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x 1\nb: *x\n", r"^f:2:4: uses the alias \*x"),
        ("a: !!python/object/apply:os.system [id]\n", "^f:1:4: carries the tag"),
        ("a: !!int 5\n", "carries the tag"),
        ("a: !mine 5\n", "carries the tag !mine"),
        ("!!python/name:os.system : 1\n", "has a key that is no word"),
        ("? [a]\n: 1\n", "^f:1:3: has a key that is no word"),
        ("a: 1\n---\nb: 2\n", "^f:2:1: starts a second document"),
        ("%YAML 1.1\n---\na: no\n", "asks for another YAML"),
        ("a: [1\n", "is not YAML"),
        ("a: 1\n b: 2\n", "^f:2:3: is not YAML"),
        ("a: \x07\n", "is not YAML"),
        ("a: \ud800\n", "is not YAML"),
        ("a: @b\n", "is not YAML"),
        ("\ta: 1\n", "is not YAML"),
    ],
)
def test_y5_y6_what_a_user_file_may_not_hold(text: str, says: str) -> None:
    with pytest.raises(PipelineError, match=says) as caught:
        yaml_reader.read(text, "f")
    assert "\n" not in str(caught.value)


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        _bomb(),
        "[" * 20_000,
        "[" * 20_000 + "]" * 20_000,
        "{a: " * 20_000,
        "- " * 20_000,
        "? " * 20_000,
        "\n".join("  " * i + "a:" for i in range(60)),
        "a: " + "x" * 1_000_001,
    ],
    ids=["bomb", "open", "nested", "mappings", "dashes", "question marks", "indented", "large"],
)
def test_y5_bombs_are_refused_at_once(text: str) -> None:
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(PipelineError):
            yaml_reader.read(text, "f")
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 5


def test_y5_fifty_levels_are_read() -> None:
    text = "\n".join("  " * i + "a:" for i in range(50))
    assert yaml_reader.read(text, "f").value
    with pytest.raises(PipelineError, match="deeper than 50"):
        yaml_reader.read(text + "\n" + "  " * 50 + "a:\n" + "  " * 51 + "a: 1", "f")


def test_y6_no_code_runs(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for tag in ("object/apply:os.system", "object/apply:subprocess.Popen", "object/new:os.system"):
        with pytest.raises(PipelineError):
            yaml_reader.read(f"a: !!python/{tag} ['touch {canary}']", "f")
    assert not canary.exists()
