"""New sounds and sentences for a trained network, read as those that it was trained on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.roles import Roles
from gapwise.data.sound_set import Listening, listen
from gapwise.data.table import read_table
from gapwise.data.word_set import as_words
from gapwise.errors import DataError
from gapwise.networks.word_vectors import takes_words
from gapwise.records import Quarantined
from gapwise.workflows.trained_run import TrainedRun

Found = tuple[NDArray[Any], NDArray[np.str_], dict[str, NDArray[Any]], tuple[Quarantined, ...]]
"""Inputs, ids, further columns, and what was set aside."""

OF_SOUNDS = ("sounds", "spoken-digits")
TEXT = "text"


def is_sequence(trained: TrainedRun) -> bool:
    """Return whether a run takes sounds, sentences or other sequences."""
    return len(trained.model.spec.input_shape) == 2


def read_sequences(path: Path, trained: TrainedRun) -> Found:
    """Read a folder of wav files, or a table with a column of text.

    Raises:
        DataError: it is not what the run was trained on, or holds nothing that can be used.
    """
    options = trained.pipeline["data"]["dataset"]
    if takes_words(trained.model.network):
        return _sentences(path, trained, options)
    if options["name"] in OF_SOUNDS:
        return _sounds(path, trained, options)
    raise DataError(
        f"run {trained.run_id} was trained on sequences of dataset {options['name']}, which cannot "
        "be read from a file; predict with its own splits"
    )


def _sounds(path: Path, trained: TrainedRun, options: Mapping[str, Any]) -> Found:
    if not path.is_dir():
        raise DataError(f"{path} is no folder; run {trained.run_id} takes sounds: give wav files")
    names = sorted(
        file.relative_to(path).as_posix()
        for file in path.rglob("*")
        if file.suffix.lower() == ".wav"
    )
    known = {name: options[name] for name in ("rate", "seconds", "mels") if name in options}
    heard = listen(path, names, Listening(**known))
    return heard.features, heard.ids, {"seconds": heard.seconds}, heard.quarantine


def _sentences(path: Path, trained: TrainedRun, options: Mapping[str, Any]) -> Found:
    if not path.is_file():
        raise DataError(f"{path} is no table; run {trained.run_id} takes a column of text")
    table = read_table(path)
    column = options.get("text", TEXT)
    roles = Roles(table=table, columns={})
    ids, found = roles.ids(), table.text(column)
    places = [table.place(row) for row in range(len(table))]
    inputs, kept, aside = as_words(found, ids, places, trained.model.spec.input_shape[1])
    if not len(kept):
        raise DataError(f"{path}: no sentence of column {column} can be used; {aside[0].reason}")
    return inputs, np.array(ids)[kept], {TEXT: np.array(found)[kept]}, tuple(aside)
