"""Properties of pipelines: what is valid is read back equal, what is mutated is refused."""

import re
import string
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapwise import overrides, pipeline_file
from gapwise.errors import PipelineError
from gapwise.pipeline import Pipeline

SHIPPED = ("adult", "digits", "fashion", "mnist-to-usps")

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30).filter(
    lambda text: "${" not in text
)
tricky = st.sampled_from(
    ["1e-3", "no", "null", "~", "012", "1:30", "true", "0x1f", "0o7", "1_0", "", " ", "- a", "a: b",
     "a #b", "#", "'", '"', "&a", "*a", "!x", "%", "@", "`", "|", ">", "\n", "a\n b\n", "\t", "é",
     "\x85", "\u2028", "\ufeff", "x" * 300, "word " * 60, "secret:X", ".inf", "<<", "=", "---",
     "..."]
)  # fmt: skip
numbers = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | texts | tricky
keys = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8).filter(lambda k: k != "name")
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,12}", fullmatch=True)
parts = st.builds(lambda name, rest: {"name": name, **rest}, names, st.dictionaries(keys, values))
shares = st.integers(0, 10**6) | st.floats(0, 0.3)


def refusal(path: Path, *overriding: str) -> str | None:
    """The one sentence that the file is refused with, or None when it loads."""
    try:
        pipeline_file.load(str(path), overriding)
    except PipelineError as error:
        return str(error)
    return None


def section(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


pipelines = st.fixed_dictionaries(
    {"data": st.fixed_dictionaries({"dataset": parts}, optional={"synthesize": parts}),
     "network": parts},
    optional={
        "description": texts | tricky,
        "seed": st.integers(0, 2**63),
        "splits": section(target=texts | tricky, dev=shares, test=shares, train_dev=shares,
                          target_in_train=st.just("rest") | shares, stratify=st.booleans()),
        "training": section(epochs=st.integers(1, 10**6), l2=st.floats(0, 1e30),
                            optimizer=parts, early_stopping=section(patience=st.integers(1, 9)),
                            device=st.sampled_from(["auto", "cpu", "cuda", "cuda:1", "mps"]),
                            threads=st.none() | st.integers(1, 64), compile=st.booleans()),
        "human": st.lists(st.fixed_dictionaries({"error": st.floats(0, 1)}, optional={
            "n": st.integers(1, 10**9), "source": texts | tricky}), max_size=3),
        "diagnosis": section(delta=st.floats(1e-9, 0.99)),
    },
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pipelines)
def test_y4_what_is_valid_is_accepted_and_read_back_equal(document: dict[str, Any]) -> None:
    pipeline = Pipeline.model_validate({"name": "p", **document})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "other-stem.yaml"
        path.write_text(pipeline_file.dump(pipeline), encoding="utf-8")
        assert pipeline_file.load(str(path)) == pipeline


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_y10_a_mutated_file_is_one_sentence_or_a_pipeline(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SHIPPED))
    text = bytearray(pipeline_file.find(name).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text) - 1))
        kind = data.draw(st.sampled_from(["replace", "insert", "delete"]))
        byte = data.draw(
            st.sampled_from(b"\0\t\n :,[]{}&*!|>'\"%@`#-0a\xff\xc3") | st.integers(0, 255)
        )
        text[at : at + (kind != "insert")] = b"" if kind == "delete" else bytes([byte])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.yaml"
        path.write_bytes(text)
        assert (refusal(path) or "").isprintable()


def _typos(word: str) -> set[str]:
    cut = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    return (
        {a + b[1:] for a, b in cut if b}
        | {a + b[1] + b[0] + b[2:] for a, b in cut if len(b) > 1}
        | {a + c + b[1:] for a, b in cut if b for c in "aexz_"}
        | {a + c + b for a, b in cut for c in "aexz_"}
    ) - {word, ""}


LISTS = {"human": "human=[{{error: 0, {}: 1}}]", "search.rounds": "search.rounds=[{{{}: 1}}]"}


@pytest.mark.parametrize("key", overrides.dotted_keys())
def test_y3_every_typo_of_one_letter_in_a_key_is_caught_and_names_the_key(
    key: str, tmp_path: Path
) -> None:
    holder, _, last = key.rpartition(".")
    known = {other.rpartition(".")[2] for other in overrides.dotted_keys() if holder in other}
    path = tmp_path / "p.yaml"
    path.write_text("data: {dataset: digits}\nnetwork: small-cnn\n")
    for typo in _typos(last) - known:
        inside = f"{holder}.{typo}=1" if holder else f"{typo}=1"
        override = LISTS[holder].format(typo) if holder in LISTS else inside
        _, found, rest = (refusal(path, override) or "").partition("is an unknown key; ")
        assert found, override
        named = re.split(r",? or |, |\?", rest.removeprefix("did you mean "))
        assert last in [name.rpartition(".")[2] for name in named], (override, rest)
