"""docs/messages.md: every sentence, current, in one voice, each with what mends it."""

import re
from pathlib import Path

import pytest

from gapwise.workflows.messages import Message, messages, page

PAGE = Path(__file__).parents[3] / "docs" / "messages.md"
FOUND = messages()
MENDS = re.compile(
    r"[;:] |‹nearest›|\b(write|give|name|needs?|must|choose|set|pip install|only|cannot)\b"
)
"""What a sentence says to do stands after a semicolon, or is an instruction itself."""

PASSED_ON = re.compile(r"‹[^›]*›\W*$")
"""A sentence that ends with what another part says ends with that part's mend."""


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make reference"
    assert len(FOUND) > 500


@pytest.mark.parametrize("message", FOUND, ids=lambda one: f"{one.module}:{one.line}")
def test_a_sentence_has_one_voice_and_a_mend(message: Message) -> None:
    sentence = message.sentence
    assert not sentence.endswith((".", "!", " ")), sentence
    assert "\n" not in sentence, sentence
    assert not re.search(r"\b(sorry|please|oops|invalid|illegal)\b", sentence, re.IGNORECASE), (
        sentence
    )
    assert not re.match(r"[A-Z][a-z]+ [a-z]", sentence) or sentence.startswith("Optuna"), sentence
    assert MENDS.search(sentence) or PASSED_ON.search(sentence), sentence
