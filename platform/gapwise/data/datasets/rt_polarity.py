"""Sentences from film reviews that praise or blame (Pang and Lee, 2005)."""

from pathlib import Path
from typing import Final

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.remote import local_folder
from gapwise.data.word_set import as_words
from gapwise.errors import DataError
from gapwise.records import ExampleSet

__all__ = ["rt_polarity"]

FOLDER: Final = "rt-polarity"
PLACE: Final = "rt-polarity.neg and rt-polarity.pos, a sentence a line"
CLASSES: Final = {"negative": "rt-polarity.neg", "positive": "rt-polarity.pos"}


def rt_polarity(context: ReadContext, *, words: int = 64) -> ExampleSet:
    """Read both files from the folder ``rt-polarity`` of ``GAPWISE_DATA``.

    Args:
        context: where datasets are.
        words: the most words of a sentence; longer ones are set aside.

    Raises:
        DataError: a file is not there or cannot be read.
    """
    root = local_folder(context.settings, FOLDER, PLACE)
    sentences: list[str] = []
    ids: list[str] = []
    places: list[str] = []
    labels: list[int] = []
    for label, (name, file) in enumerate(CLASSES.items()):
        lines = _lines(root / file)
        sentences += lines
        ids += [f"{name}/{row:04d}" for row in range(len(lines))]
        places += [f"{file}, line {row + 1}" for row in range(len(lines))]
        labels += [label] * len(lines)
    inputs, kept, aside = as_words(sentences, ids, places, words)
    return ExampleSet(
        name="rt-polarity",
        inputs=inputs,
        targets=np.array(labels, np.int64)[kept],
        classes=tuple(CLASSES),
        ids=np.array(ids)[kept],
        sources=np.full(len(kept), "reviews"),
        metadata={"text": np.array(sentences)[kept]},
        quarantine=tuple(aside),
    )


def _lines(file: Path) -> list[str]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error}); put it there") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # as its authors gave it out
    return [line.strip() for line in text.strip().split("\n")]
