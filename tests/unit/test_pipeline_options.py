"""check_options: the only door from a pipeline to code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from gapwise import pipeline_file
from gapwise.errors import PipelineError
from gapwise.networks.base import NETWORKS
from gapwise.pipeline_parts import Part
from gapwise.registry import Family
from gapwise.training.optimizers.base import OPTIMIZERS

FIXED = ("input_shape", "outputs")


def options(**extra: Any) -> dict[str, Any]:
    part = Part.model_validate({"name": "small-cnn", **extra})
    return pipeline_file.check_options(NETWORKS, part, "network", FIXED)


def test_defaults_are_filled_in() -> None:
    given = options(channels=[8, 16])
    assert given["channels"] == [8, 16]
    assert set(given) == set(NETWORKS.options("small-cnn")) - set(FIXED)


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"chanels": [8]}, r"^network\.chanels: network small-cnn has no such option; .* channels"),
        ({"channels": 8}, r"^network\.channels: is 8, but must be a list"),
        ({"channels": ["a"]}, r'channels: is \["a"\], but must be a whole number'),
        ({"channels": [1.5]}, "must be a whole number"),
        ({"dropout": "much"}, 'dropout: is "much", but must be a number'),
        ({"batch_norm": 1}, "batch_norm: is 1, but must be 'none', 'before' or 'after'"),
        ({"input_shape": [1, 8, 8]}, "input_shape: network small-cnn has no such option"),
        ({"a\ufeff\n": 1}, r"^network\.a\\ufeff\\n: network small-cnn has no such option"),
        ({"_target_": "os.system"}, "_target_: network small-cnn has no such option"),
        ({"__class__": "os.system"}, "__class__: network small-cnn has no such option"),
    ],
)
def test_y3_y4_wrong_options(extra: dict[str, Any], says: str) -> None:
    with pytest.raises(PipelineError, match=says):
        options(**extra)


def test_an_unknown_member_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        PipelineError, match="network smal-cnn is not known; did you mean small-cnn"
    ):
        pipeline_file.check_options(NETWORKS, Part(name="smal-cnn"), "network", FIXED)


def test_the_place_in_the_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("data: {dataset: digits}\nnetwork:\n  name: small-cnn\n  chanels: [1]\n")
    part = pipeline_file.load(str(path)).network
    with pytest.raises(PipelineError) as caught:
        pipeline_file.check_options(NETWORKS, part, "network", FIXED)
    assert str(caught.value).startswith(f"{path}:4:3: network.chanels: ")


def test_y3_every_typo_of_one_letter_in_an_option_is_caught() -> None:
    caught = 0
    for family, name, fixed in ((NETWORKS, "small-cnn", FIXED), (OPTIMIZERS, "adam", ())):
        known = set(family.options(name))
        for key in known - set(fixed):
            for typo in typos(key) - known - {"name"}:
                part = Part.model_validate({"name": name, typo: 1})
                with pytest.raises(PipelineError, match="has no such option"):
                    pipeline_file.check_options(family, part, "x", fixed)
                caught += 1
    assert caught > 500


def typos(word: str) -> set[str]:
    """Every word that one deletion, swap, replacement or insertion away is."""
    parts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    letters = "abcxyz_"
    deleted = {a + b[1:] for a, b in parts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1}
    replaced = {a + c + b[1:] for a, b in parts if b for c in letters}
    inserted = {a + c + b for a, b in parts for c in letters}
    return (deleted | swapped | replaced | inserted) - {word, ""}


class Plain:
    """A part with every kind of option that parts use."""

    def __init__(
        self,
        *,
        needed: int,
        kind: Literal["a", "b"] = "a",
        shape: tuple[int, ...] = (1,),
        rates: Sequence[float] = (0.1,),
        folder: str = "",
        limit: int | None = None,
    ) -> None:
        self.values = (needed, kind, shape, rates, folder, limit)


class OnePart(Family[Any]):
    """A family of one, without an entry point."""

    def names(self) -> list[str]:
        return ["plain"]

    def get(self, name: str) -> Any:
        assert name == "plain"
        return Plain


def plain(**extra: Any) -> dict[str, Any]:
    part = Part.model_validate({"name": "plain", **extra})
    return pipeline_file.check_options(OnePart("none", "part"), part, "data.part")


def test_each_kind_of_option() -> None:
    given = plain(needed=1, kind="b", shape=[3, 4], rates=[1, 0.5], folder="x", limit=None)
    assert given == {
        "needed": 1, "kind": "b", "shape": (3, 4), "rates": [1, 0.5], "folder": "x", "limit": None,
    }  # fmt: skip
    Plain(**given)


def test_a_needed_option_is_asked_for() -> None:
    with pytest.raises(PipelineError, match=r"data\.part\.needed: part plain needs it; set data"):
        plain()


def test_a_word_outside_the_list_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"""kind: is "c", but must be 'a' or 'b'"""):
        plain(needed=1, kind="c")


def test_y7_a_secret_is_read_when_it_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "canary-5f2c")
    part = Part.model_validate({"name": "plain", "needed": 1, "folder": "secret:TOKEN"})
    family = OnePart("none", "part")
    assert pipeline_file.check_options(family, part, "x")["folder"] == "canary-5f2c"
    assert dict(part.options) == {"needed": 1, "folder": "secret:TOKEN"}
    monkeypatch.delenv("TOKEN")
    with pytest.raises(PipelineError, match=r"folder: refers to the variable TOKEN.* not set"):
        pipeline_file.check_options(family, part, "x")
