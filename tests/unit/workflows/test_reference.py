import json
from typing import Any

import jsonschema
import pytest

from gapwise import pipeline_file, yaml_reader
from gapwise.settings import app_root
from gapwise.workflows import reference
from gapwise.workflows.part_reference import SLOTS, described, parts_of

SHIPPED = ("adult", "digits", "fashion", "mnist-to-usps")


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = reference.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", ["pipeline-reference.md", "pipeline.schema.json"])
def test_the_committed_files_are_current(name: str, tmp_path: Any) -> None:
    reference.write(tmp_path)
    committed = (app_root() / "docs" / name).read_text(encoding="utf-8")
    assert (tmp_path / name).read_text(encoding="utf-8") == committed, "run: make reference"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_schema_takes_the_shipped_pipelines(name: str, validator: Any) -> None:
    written = yaml_reader.read(pipeline_file.find(name).read_text(encoding="utf-8"), name).value
    assert not list(validator.iter_errors(written))
    assert not list(validator.iter_errors(pipeline_file.resolve(pipeline_file.load(name))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"training": {"epohs": 1}},
        {"training": {"epochs": 0}},
        {"training": {"optimizer": {"name": "adam", "rate": 1}}},
        {"network": {"name": "small-cnn", "chanels": [1]}},
        {"network": "no-such"},
        {"network": {"name": "small-cnn", "input_shape": [1, 8, 8]}},
        {"data": {"dataset": "folder"}},
        {"data": {"dataset": {"name": "folder"}}},
    ],
)
def test_the_schema_refuses_what_load_and_check_refuse(
    wrong: dict[str, Any], validator: Any
) -> None:
    good = {"data": {"dataset": "digits"}, "network": "small-cnn"}
    validator.validate(good)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(good | wrong)


def test_every_part_is_in_the_reference_with_every_option() -> None:
    text = reference.markdown()
    for slot in SLOTS:
        for part in parts_of(slot):
            assert f"### `{part.name}`" in text
            assert part.says, f"{slot.family.noun} {part.name} has no docstring"
            for option in part.options:
                assert f"| `{option.name}` |" in text
                assert option.says, f"{part.name} does not say what {option.name} is, under Args"


def test_args_of_several_lines_are_read() -> None:
    def part(*, first: int, second: int) -> None:
        """Do a thing.

        Args:
            first: one line
                and another.
            second: the rest.

        Raises:
            ValueError: never.
        """

    assert described(part) == {"first": "one line and another.", "second": "the rest."}


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "integer", "minimum": 1}, "whole number ≥ 1"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "number > 0 and ≤ 1"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text or nothing"),
        ({"enum": ["a", "b"]}, "`a` or `b`"),
        ({"const": "a"}, "`a`"),
        ({"type": "array", "prefixItems": [{"type": "number"}] * 2}, "list of numbers"),
        ({"$ref": "#/$defs/Part"}, "part"),
        ({}, "any value"),
    ],
)
def test_words(schema: dict[str, Any], says: str) -> None:
    assert reference.words(schema) == says


def test_json_has_no_workplace_in_it() -> None:
    assert str(app_root()) not in json.dumps(reference.schema()) + reference.markdown()
