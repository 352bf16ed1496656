"""The Free Spoken Digit Dataset: 3,000 recordings of 6 speakers, 8 kHz (Jackson et al., 2018).

The recordings 0 to 4 of each digit and speaker are its official test: those speakers also train,
an exception to the rule that a person never straddles splits. Who wants to know how strangers are
understood holds a speaker out, and who wants to know how digits are understood in a car lets some
recordings be heard there: an engine's noise is laid under them (``gapwise.data.noises``).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from gapwise.data.base import ReadContext
from gapwise.data.datasets._in_a_car import SNR, Drive, in_a_car
from gapwise.data.file_names import named
from gapwise.data.keyed import uniform
from gapwise.data.remote import local_folder
from gapwise.data.sound_set import Listening, listen
from gapwise.errors import DataError, PipelineError, did_you_mean
from gapwise.ingredients import COLUMN, recipe
from gapwise.labels import Labels, one_class
from gapwise.records import ExampleSet

__all__ = ["spoken_digits"]

FOLDER: Final = "fsdd"
PLACE: Final = "the folder recordings with its wav files (digit_speaker_number.wav)"
PATTERN: Final = r"(?P<label>\d)_(?P<speaker>[a-z]+)_(?P<number>\d+)"
OFFICIAL: Final = 5
"""Recordings below this number are the official test."""

DIGITS: Final = tuple("0123456789")
IN_A_CAR: Final = (
    f"The noise in the car is a model's, {SNR[0]:g} to {SNR[1]:g} dB below the speech, and no car "
    "was recorded; the speakers in it also train"
)


def spoken_digits(
    context: ReadContext,
    *,
    labels: Literal["digit", "speaker", "both"] = "digit",
    held_out: str | None = None,
    car: int = 0,
    seconds: float = 1.0,
    mels: int = 40,
) -> ExampleSet:
    """Read the recordings from the folder ``fsdd`` of ``GAPWISE_DATA`` as log-mel features.

    Sources are ``official`` (the official test) and ``recordings``; with a speaker held out, that
    speaker and ``others``; with recordings in a car, ``car`` and ``quiet``.

    Args:
        context: where datasets and the cache are; its seed decides which recordings are heard in a
            car, and in which.
        labels: what is to be told: the digit, the speaker, or both (several labels an example).
        held_out: a speaker who is a source of his own.
        car: how many recordings are heard in a car, each in its own, the speech 0 to 15 dB above
            the noise.
        seconds: length of an example; longer recordings are cut, shorter ones end in silence.
        mels: bands of pitch.

    Raises:
        DataError: the folder is not there, or holds no such file, or fewer than ``car``.
        PipelineError: there is no such speaker, or ``held_out`` and ``car`` are both given.
        StorageError: the recordings in a car cannot be written to the cache.
    """
    if held_out is not None and car:
        raise PipelineError(
            "data.dataset: spoken-digits: held_out and car are both given, but an example has one "
            "source; take one of them out"
        )
    root = local_folder(context.settings, FOLDER, PLACE) / "recordings"
    names = sorted(file.name for file in root.glob("*.wav"))
    listening = Listening(seconds=seconds, mels=mels)
    drive = Drive(rate=listening.rate, seconds=seconds, seed=context.seed)
    driven = _driven(names, car, context.seed)
    if driven:
        root = in_a_car(root, names, driven, drive, context.settings.cache)
    heard = listen(root, names, listening)
    columns = {name: column[heard.kept] for name, column in named(names, PATTERN).items()}
    speakers = columns["speaker"]
    people = tuple(str(name) for name in np.unique(speakers))
    targets, told = _targets(columns, people, labels)
    sources, note = _sources(columns, people, held_out)
    metadata = {"speaker": speakers, "digit": columns["label"], "seconds": heard.seconds}
    if driven:
        sources, note = np.where(np.isin(heard.ids, list(driven)), "car", "quiet"), IN_A_CAR
        metadata[COLUMN] = np.array([_recipe(name, driven, drive) for name in heard.ids.tolist()])
    return ExampleSet(
        name="spoken-digits",
        inputs=heard.features,
        targets=targets,
        classes=told.only,
        labels=told,
        ids=heard.ids,
        sources=sources,
        metadata=metadata,
        media=heard.ids,
        media_root=str(root.resolve()),
        quarantine=heard.quarantine,
        notes=(note, *heard.notes),
    )


def _driven(names: Sequence[str], count: int, seed: int) -> frozenset[str]:
    """Return the recordings that are heard in a car: those whose hash is smallest."""
    if not 0 <= count <= len(names):
        raise DataError(
            f"data.dataset: spoken-digits: car is {count}, but there are {len(names)} recordings; "
            f"choose 0 to {len(names)}"
        )
    order = np.argsort(uniform(seed, "car", names), kind="stable")[:count]
    return frozenset(names[place] for place in order)


def _recipe(name: str, driven: frozenset[str], drive: Drive) -> str:
    """Return what a recording in a car is made from; "" for one that is as it was."""
    parts = [("speech", Path(name).stem), ("noise", drive.car(name))]
    return recipe(parts) if name in driven else ""


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
