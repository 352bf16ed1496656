"""The page that designs a split."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import split_data
from gapwise import pipeline_file
from gapwise.errors import UsageError

Page = Callable[..., AppTest]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of one's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("home", "folder")
def test_the_table_follows_the_sliders(page: Page) -> None:
    test = page("splits")
    assert not test.exception
    test.slider(key="size-dev").set_value(300).run()
    cells = test.table[0].value
    assert cells["Dev"].tolist() == ["300", "0", "300"]
    assert cells["Test"].tolist() == ["250", "0", "250"]


@pytest.mark.usefixtures("home")
def test_it_is_saved_as_a_pipeline_that_loads(page: Page, folder: Path) -> None:
    test = page("splits")
    test.slider(key="size-dev").set_value(300).run()
    test.text_input(key="save-as").set_value("my-split").run()
    test.button(key="save").click().run()
    assert not test.exception
    assert [str(one.value) for one in test.error] == []
    saved = pipeline_file.load("my-split")
    assert (folder / "pipelines" / "my-split.yaml").is_file()
    assert saved.splits.dev == 300
    assert saved.splits.target == "phone"


@pytest.mark.usefixtures("home", "folder")
def test_more_than_there_is_becomes_a_sentence(page: Page) -> None:
    test = page("splits")
    test.slider(key="size-dev").set_value(700).run()
    assert not test.exception
    (error,) = test.error
    assert "splits" in str(error.value)


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "A", ".hidden", "x" * 80, "a.yaml"])
def test_a_name_cannot_leave_the_folder(name: str, folder: Path) -> None:
    with pytest.raises(UsageError):
        split_data.save(name, "text")
    assert not list(folder.rglob("*.yaml"))


def test_a_pipeline_is_never_overwritten(folder: Path) -> None:
    split_data.save("mine", "first")
    with pytest.raises(UsageError, match="is there already"):
        split_data.save("mine", "second")
    assert (folder / "pipelines" / "mine.yaml").read_text() == "first"
