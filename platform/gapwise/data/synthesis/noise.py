"""Noise under clean speech: recordings of a folder, or an engine that is made (notes 4.15).

The notes' own warning is what ``clips`` is for: a thousand hours of speech over one hour of car
noise sound right to people, and a network overfits to that hour. Each copy's noise is named among
its ingredients, so that the diversity check can count them.
"""

from pathlib import Path
from typing import Final

import numpy as np

from gapwise.data.base import Copies, Originals
from gapwise.data.keyed import seed_of
from gapwise.data.noises import Sound, engine, laid_under
from gapwise.data.sound_set import BadSoundError, Listening, read_any, read_sound
from gapwise.errors import DataError, PipelineError
from gapwise.ingredients import recipe

__all__ = ["noise"]

CLIP_SECONDS: Final = 4
CLOSE: Final = 1e-3
"""Differences of log-mel features from which on they are not those of a file."""


def noise(
    originals: Originals,
    *,
    path: str | None = None,
    clips: int = 200,
    snr: tuple[float, float] = (0.0, 15.0),
) -> Copies:
    """Return each sound with noise under it, as log-mel features like the original's.

    Sounds are mixed, not features: each original's file is read again.

    Args:
        originals: sequences (n, mels, frames) float32, the features of wav files.
        path: folder of wav files to take noise from, all of them, at the sounds' rate; by default
            an engine is made (``gapwise.data.noises``).
        clips: how many different engines are made, four seconds of each.
        snr: lowest and highest power of the sound beside the noise's, in dB.

    Raises:
        DataError: an option is out of range, or a file cannot be read.
        PipelineError: the examples are no sounds.
    """
    originals.check("sequence", "noise")
    low, high = snr
    if clips < 1 or not low <= high:
        raise DataError(
            f"data.synthesize: noise: clips is {clips} and snr {low:g} to {high:g}; give at least "
            "one clip, and the lower ratio first"
        )
    if not originals.files:
        raise PipelineError(
            "data.synthesize: noise is for sounds in wav files, but the dataset's sequences have "
            "no files; take data.synthesize out"
        )
    rate, listening = _listening(originals)
    known = {} if path is None else _recorded(originals.root / path, rate)
    names = list(known) or [f"engine-{number:04d}" for number in range(clips)]
    features, added = np.empty_like(originals.inputs), []
    for row, (file, key) in enumerate(zip(originals.files, originals.keys, strict=True)):
        draw = np.random.default_rng(seed_of(key))
        name = names[int(draw.integers(len(names)))]
        if name not in known:
            known[name] = engine(name, rate, CLIP_SECONDS * rate)
        sound = _original(file, rate, listening, originals.inputs[row])
        start, ratio = int(draw.integers(len(known[name]))), draw.uniform(low, high)
        samples = round(listening.seconds * rate)
        mixed = laid_under(sound, known[name], ratio, start, samples)
        features[row] = listening.features(mixed)
        added.append(recipe([("noise", name)]))
    return Copies(features, added)


def _listening(originals: Originals) -> tuple[int, Listening]:
    """Return the rate of the files, and how they became features: the shape tells the rest."""
    mels, frames = originals.inputs.shape[1:]
    rate = _any(originals.files[0])[1]
    return rate, Listening.of(rate=rate, mels=mels, frames=frames)


def _original(file: Path, rate: int, listening: Listening, known: Sound) -> Sound:
    sound, found = _any(file)
    told = listening.features(sound) if found == rate else None
    if told is None or not np.allclose(told, known, atol=CLOSE):
        raise PipelineError(
            f"data.synthesize: noise: {file} is not what the dataset's features were made from; "
            "take data.synthesize out, or read the sounds anew"
        )
    return sound


def _any(file: Path) -> tuple[Sound, int]:
    try:
        return read_any(file)
    except BadSoundError as error:
        raise DataError(f"data.synthesize: noise: {file} {error.reason}; mend it") from error


def _recorded(folder: Path, rate: int) -> dict[str, Sound]:
    """Return name → noise of every wav file in a folder."""
    if not folder.is_dir():
        raise DataError(f"data.synthesize.path: {folder} is no folder; give the wav files' folder")
    found = {}
    for file in sorted(folder.glob("*.wav")):
        try:
            found[file.name] = read_sound(file, rate)
        except BadSoundError as error:
            raise DataError(f"data.synthesize.path: {file} {error.reason}; mend it") from error
    if not found:
        raise DataError(f"data.synthesize.path: {folder} holds no wav file; put some there")
    return found
