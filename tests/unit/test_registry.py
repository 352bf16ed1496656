import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from gapwise import registry
from gapwise.errors import PipelineError
from gapwise.registry import Family

GROUPS = sorted(group for group in entry_points().groups if group.startswith("gapwise."))


@pytest.mark.parametrize("group", GROUPS)
def test_every_member_of_every_family_can_be_had(group: str) -> None:
    family: Family[object] = Family(group, "part")
    assert family.names(), f"{group} has no members"
    for name, part in family:
        assert callable(part)
        assert family.get(name) is part
        assert "_" not in name


def test_names_import_nothing() -> None:
    before = set(sys.modules)
    assert "small-cnn" in Family("gapwise.networks", "network").names()
    new = {name for name in set(sys.modules) - before if name.startswith("gapwise.networks.")}
    assert not new


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    family: Family[object] = Family("gapwise.networks", "network")
    with pytest.raises(PipelineError, match="network 'smallcnn' is not known; did you mean small"):
        family.get("smallcnn")


def test_options_are_the_keyword_only_parameters() -> None:
    adam = Family[object]("gapwise.optimizers", "optimizer").options("adam")
    assert set(adam) == {"lr", "beta1", "beta2", "epsilon"}


def test_a_plug_in_enters_by_the_same_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_plug_in"
    package.mkdir()
    (package / "__init__.py").write_text("HELPERS = ('drawing',)")
    for name in ("_shared", "base", "drawing"):
        (package / f"{name}.py").write_text("raise RuntimeError('no member, so never imported')")
    (package / "mean_of_all.py").write_text(
        "__all__ = ['mean']\ndef mean(x, *, weight: float = 1.0): return weight\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint(name="plug", value="some_plug_in", group="gapwise.tests")
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    family: Family[object] = Family("gapwise.tests", "part")
    assert family.names() == ["mean-of-all"]
    assert set(family.options("mean-of-all")) == {"weight"}
    assert next(iter(family))[0] == "mean-of-all"


def test_a_family_without_members_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    with pytest.raises(PipelineError, match="part 'x' is not known; none are known"):
        Family[object]("gapwise.none", "part").get("x")
