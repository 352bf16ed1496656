"""What the page *Splits* reads and writes; the drawing of splits itself is the library's."""

import re
from pathlib import Path
from typing import Any

import streamlit as st

from gapwise import pipeline_file
from gapwise.data import load
from gapwise.data.assignment import Assignment
from gapwise.data.duplicates import DuplicateReport, find
from gapwise.errors import StorageError, UsageError, shown
from gapwise.pipeline import Pipeline, Splits
from gapwise.records import SPLITS, ExampleSet
from gapwise.settings import Settings, app_root

_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")


def pipelines() -> list[str]:
    """Return the names of the pipelines in ./pipelines and of the built-in ones."""
    folders = (Path.cwd() / "pipelines", app_root() / "pipelines")
    names = {file.stem for folder in folders for file in folder.glob("*.yaml")}
    return sorted(names, key=lambda name: (name != "digits", name))


def pipeline(name: str) -> Pipeline:
    """Return a pipeline."""
    return pipeline_file.load(name)


def examples(name: str) -> ExampleSet:
    """Return a pipeline's examples, read once for each state of its file.

    Raises:
        DataError: they are not at hand, or too much of them is bad.
    """
    file = pipeline_file.find(name)
    return _examples(name, str(file), file.stat().st_mtime_ns)


def drawn(name: str, splits: Splits) -> Assignment:
    """Return who stands where.

    Raises:
        DataError: the splits ask for more than there is.
    """
    return _drawn(name, splits.model_dump_json(), str(pipeline_file.find(name)))


def counts(held: ExampleSet, assignment: Assignment) -> dict[str, dict[str, int]]:
    """Return source → split ("" for left out) → number of examples."""
    sources = sorted({str(source) for source in held.sources})
    return {
        source: {
            split: int(((assignment.split == split) & (held.sources == source)).sum())
            for split in (*SPLITS, "")
        }
        for source in sources
    }


def duplicates(name: str, splits: Splits) -> DuplicateReport:
    """Return inputs that stand in several splits."""
    return _duplicates(name, splits.model_dump_json(), str(pipeline_file.find(name)))


def as_yaml(base: Pipeline, splits: Splits, name: str) -> str:
    """Return the pipeline with these splits, as a file to download or save."""
    return pipeline_file.dump(base.model_copy(update={"splits": splits, "name": name}))


def save(name: str, text: str) -> Path:
    """Write a new pipeline into ./pipelines.

    Raises:
        UsageError: the name is no plain one, or is taken.
        StorageError: the folder cannot be written.
    """
    if not _FILE_NAME.fullmatch(name):
        raise UsageError(
            f"{shown(name)!r} cannot be a pipeline's name; use small letters, digits, - and _"
        )
    path = Path.cwd() / "pipelines" / f"{name}.yaml"
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already; give the split another name") from error
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}; start the dashboard in a folder of yours"
        ) from error
    return path


@st.cache_resource(show_spinner="Reading the examples …", max_entries=3)
def _examples(name: str, file: str, mtime: int) -> ExampleSet:
    return load.read(pipeline_file.load(name), Settings.read(), Path.cwd())


@st.cache_resource(show_spinner=False, max_entries=64)
def _drawn(name: str, splits: str, file: str) -> Assignment:
    wanted = _with(name, splits)
    return load.draw(wanted, examples(name), Path.cwd())


@st.cache_resource(show_spinner="Looking for duplicates …", max_entries=64)
def _duplicates(name: str, splits: str, file: str) -> DuplicateReport:
    return find(examples(name), _drawn(name, splits, file))


def _with(name: str, splits: str) -> Pipeline:
    update: dict[str, Any] = {"splits": Splits.model_validate_json(splits)}
    return pipeline_file.load(name).model_copy(update=update)
