"""Sounds as log-mel features: how loud each band of pitch is, frame by frame.

The mel scale is that of O'Shaughnessy (1987): 2595·log₁₀(1 + f/700).
"""

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log10
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from gapwise.errors import DataError
from gapwise.records import Quarantined

FRAME_SECONDS, HOP_SECONDS = 0.025, 0.010
FLOOR = 1e-6
"""Power below which a band counts as silent."""

_TYPES: dict[int, np.dtype[Any]] = {1: np.dtype(np.uint8), 2: np.dtype("<i2"), 4: np.dtype("<i4")}


class BadSoundError(DataError):
    """A sound that cannot be used."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, kw_only=True)
class Listening:
    """How sounds become features.

    Attributes:
        rate: samples a second that every file must have.
        seconds: of each example; longer sounds are cut, shorter ones end in silence.
        mels: bands of pitch.
    """

    rate: int = 8000
    seconds: float = 1.0
    mels: int = 40

    def __post_init__(self) -> None:
        for name, least in (("rate", 1000), ("seconds", 2 * FRAME_SECONDS), ("mels", 4)):
            if getattr(self, name) < least:
                raise DataError(
                    f"data.dataset.{name} is {getattr(self, name)}; give at least {least:g}"
                )

    @classmethod
    def of(cls, *, rate: int, mels: int, frames: int) -> "Listening":
        """Return how sounds of a rate become features (mels, frames)."""
        return cls(rate=rate, seconds=FRAME_SECONDS + (frames - 1) * HOP_SECONDS, mels=mels)

    @property
    def frames(self) -> int:
        """Frames of an example."""
        return 1 + int((self.seconds - FRAME_SECONDS) / HOP_SECONDS + 1e-6)

    def features(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the log-mel features (mels, frames) of a sound (samples,) within [-1, 1]."""
        frame, hop = round(FRAME_SECONDS * self.rate), round(HOP_SECONDS * self.rate)
        samples = frame + (self.frames - 1) * hop
        filled = np.pad(sound[:samples], (0, max(0, samples - len(sound))))
        cut = np.lib.stride_tricks.sliding_window_view(filled, frame)[::hop]
        size = 1 << (frame - 1).bit_length()
        power = np.abs(np.fft.rfft(cut * get_window("hann", frame), size)) ** 2
        bands = power @ _bands(self.rate, size, self.mels)
        return np.log10(bands + FLOOR).T.astype(np.float32)


@cache
def _bands(rate: int, size: int, count: int) -> NDArray[np.float64]:
    """Return the triangles that gather the power of ``size``//2 + 1 pitches: (pitches, count)."""
    top = 2595 * log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, count + 2) / 2595) - 1)
    pitches = np.fft.rfftfreq(size, 1 / rate)[:, None]
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (pitches - low) / (middle - low), (high - pitches) / (high - middle)
    return np.clip(np.minimum(rising, falling), 0, None)


def read_sound(file: Path, rate: int) -> NDArray[np.float32]:
    """Return the samples of a wav file within [-1, 1], the mean of its channels, (samples,).

    Raises:
        BadSoundError: it cannot be read, holds nothing, or was sampled at another rate.
    """
    sound, found = read_any(file)
    if found != rate:
        told = f"has {found} samples a second, not {rate}; resample it, or set data.dataset.rate"
        raise BadSoundError("sound-rate", told)
    return sound


def read_any(file: Path) -> tuple[NDArray[np.float32], int]:
    """Return the samples of a wav file, as ``read_sound``, and how many make a second.

    Raises:
        BadSoundError: it cannot be read, or holds nothing.
    """
    try:
        with wave.open(str(file), "rb") as sound:
            width, rate = sound.getsampwidth(), sound.getframerate()
            channels, raw = sound.getnchannels(), sound.readframes(sound.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        told = f"cannot be read as wav ({error}); give 8, 16 or 32 bits of PCM"
        raise BadSoundError("sound-unreadable", told) from error
    if width not in _TYPES:
        told = f"has samples of {8 * width} bits; give 8, 16 or 32 bits of PCM"
        raise BadSoundError("sound-unreadable", told)
    whole = len(raw) // (width * channels) * width * channels
    values = np.frombuffer(raw[:whole], _TYPES[width]).astype(np.float32)
    if not len(values):
        raise BadSoundError("sound-empty", "holds 0 samples; record it again, or take it out")
    scaled = (values - 128) / 128 if width == 1 else values / 2 ** (8 * width - 1)
    mean: NDArray[np.float32] = scaled.reshape(-1, channels).mean(axis=1, dtype=np.float32)
    return mean, rate


def as_wav(sound: NDArray[np.float32], rate: int) -> bytes:
    """Return samples within [-1, 1] as a wav file of 16 bits, one channel."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return stream.getvalue()


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The sounds that could be used, n of them.

    Attributes:
        features: (n, mels, frames) float32.
        ids: (n,) their paths in the folder.
        seconds: (n,) float32, how long each is.
        kept: (n,) positions in the names that were given.
        quarantine: those that were set aside.
        notes: what was cut.
    """

    features: NDArray[np.float32]
    ids: NDArray[np.str_]
    seconds: NDArray[np.float32]
    kept: NDArray[np.int64]
    quarantine: tuple[Quarantined, ...]
    notes: tuple[str, ...]


def listen(root: Path, names: Sequence[str], listening: Listening) -> Heard:
    """Read the wav files ``names`` of ``root``.

    Raises:
        DataError: none of them can be used.
    """
    features, seconds, kept = [], [], []
    aside: list[Quarantined] = []
    for row, name in enumerate(names):
        try:
            sound = read_sound(root / name, listening.rate)
        except BadSoundError as error:
            aside.append(Quarantined(item=name, code=error.code, reason=error.reason))
            continue
        features.append(listening.features(sound))
        seconds.append(len(sound) / listening.rate)
        kept.append(row)
    if not kept:
        first = f"; {aside[0].item} {aside[0].reason}" if aside else ""
        raise DataError(f"{root} holds no sound that can be used{first}; put wav files there")
    longer = int((np.array(seconds) > listening.seconds).sum())
    note = (
        f"{longer} of {len(kept)} sounds are longer than {listening.seconds:g} s and were cut "
        "there (data.dataset.seconds)"
    )
    return Heard(
        features=np.stack(features),
        ids=np.array([names[row] for row in kept]),
        seconds=np.array(seconds, np.float32),
        kept=np.array(kept, np.int64),
        quarantine=tuple(aside),
        notes=(note,) if longer else (),
    )
