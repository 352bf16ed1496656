"""Text from data, made safe for Streamlit's Markdown."""

import pytest

from dashboards.text import JOINER, safe


def plain(text: str) -> str:
    return text.replace(JOINER, "").replace("\\", "")


@pytest.mark.parametrize(
    "text",
    ["<b>x</b>", "**bold**", "$x^2$", ":red[no]", "[a](http://x)", "`code`", "a|b", "# head",
     "&lt;", "digits-3", "- list", "1. one", "~~x~~", ":material/home:"],
)  # fmt: skip
def test_b1_reads_the_same_but_means_nothing(text: str) -> None:
    made = safe(text)
    assert plain(made) == text
    for place, character in enumerate(made):
        if character in "<*$[]`|#&~_!":
            assert made[place - 1] == "\\"


@pytest.mark.parametrize("text", ["https://evil.example", "www.evil.example", "a@evil.example",
                                  ":tada:", "a -> b", "x >= y", "<-"])  # fmt: skip
def test_b1_what_is_sought_in_finished_text_is_parted(text: str) -> None:
    finished = safe(text).replace("\\", "")
    for link in ("://", "www.e", "@e", ":tada:", "->", ">=", "<-"):
        assert link not in finished


def test_b1_controls_lines_and_directions_go() -> None:
    assert safe("a\n# b\x00\u202ec") == "a \\# b c"
    assert safe("    indented") == "indented"
    assert len(safe("x" * 1000)) == 300
