"""The Free Spoken Digit Dataset: 3,000 recordings of 6 speakers, 8 kHz (Jackson et al., 2018).

The recordings 0 to 4 of each digit and speaker are its official test: those speakers also train,
an exception to the rule that a person never straddles splits. Who wants to know how strangers are
understood holds a speaker out.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from gapwise.data.base import ReadContext
from gapwise.data.file_names import named
from gapwise.data.remote import local_folder
from gapwise.data.sound_set import Listening, listen
from gapwise.errors import PipelineError, did_you_mean
from gapwise.labels import Labels, one_class
from gapwise.records import ExampleSet

__all__ = ["spoken_digits"]

FOLDER: Final = "fsdd"
PLACE: Final = "the folder recordings with its wav files (digit_speaker_number.wav)"
PATTERN: Final = r"(?P<label>\d)_(?P<speaker>[a-z]+)_(?P<number>\d+)"
OFFICIAL: Final = 5
"""Recordings below this number are the official test."""

DIGITS: Final = tuple("0123456789")


def spoken_digits(
    context: ReadContext,
    *,
    labels: Literal["digit", "speaker", "both"] = "digit",
    held_out: str | None = None,
    seconds: float = 1.0,
    mels: int = 40,
) -> ExampleSet:
    """Read the recordings from the folder ``fsdd`` of ``GAPWISE_DATA`` as log-mel features.

    Sources are ``official`` (the official test) and ``recordings``; with a speaker held out, that
    speaker and ``others``.

    Args:
        context: where datasets are.
        labels: what is to be told: the digit, the speaker, or both (several labels an example).
        held_out: a speaker who is a source of his own.
        seconds: length of an example; longer recordings are cut, shorter ones end in silence.
        mels: bands of pitch.

    Raises:
        DataError: the folder is not there, or holds no such file.
        PipelineError: there is no such speaker.
    """
    root = local_folder(context.settings, FOLDER, PLACE) / "recordings"
    names = sorted(file.name for file in root.glob("*.wav"))
    heard = listen(root, names, Listening(seconds=seconds, mels=mels))
    columns = {name: column[heard.kept] for name, column in named(names, PATTERN).items()}
    speakers = columns["speaker"]
    people = tuple(str(name) for name in np.unique(speakers))
    targets, told = _targets(columns, people, labels)
    sources, note = _sources(columns, people, held_out)
    return ExampleSet(
        name="spoken-digits",
        inputs=heard.features,
        targets=targets,
        classes=told.only,
        labels=told,
        ids=heard.ids,
        sources=sources,
        metadata={"speaker": speakers, "digit": columns["label"], "seconds": heard.seconds},
        media=heard.ids,
        media_root=str(root.resolve()),
        quarantine=heard.quarantine,
        notes=(note, *heard.notes),
    )


def _targets(
    columns: Mapping[str, NDArray[np.str_]], people: tuple[str, ...], asked: str
) -> tuple[NDArray[Any], Labels]:
    digits = columns["label"].astype(np.int64)
    speakers = np.searchsorted(people, columns["speaker"]).astype(np.int64)
    if asked == "digit":
        return digits, one_class(DIGITS)
    if asked == "speaker":
        return speakers, one_class(people)
    both = Labels(kind="several", names=("digit", "speaker"), classes=(DIGITS, people))
    return np.stack([digits, speakers], 1), both


def _sources(
    columns: Mapping[str, NDArray[np.str_]], people: tuple[str, ...], held_out: str | None
) -> tuple[NDArray[np.str_], str]:
    if held_out is None:
        is_official = columns["number"].astype(np.int64) < OFFICIAL
        return np.where(is_official, "official", "recordings"), (
            "The speakers of the official test also train: its error says nothing about strangers"
        )
    if held_out not in people:
        raise PipelineError(
            f"data.dataset.held_out is {held_out!r}, who is no speaker; "
            f"{did_you_mean(held_out, people)}"
        )
    return np.where(columns["speaker"] == held_out, held_out, "others"), (
        f"Dev and test are recordings of one speaker, {held_out}: intervals hold for this voice, "
        "not for all strangers"
    )
