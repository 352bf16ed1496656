"""Recordings as they would sound in a car: wav files of their own, so that they can be heard."""

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gapwise.data.keyed import seed_of
from gapwise.data.noises import engine, laid_under
from gapwise.data.placing import drafted
from gapwise.data.sound_set import BadSoundError, as_wav, read_sound
from gapwise.errors import StorageError

SNR: Final = (0.0, 15.0)
"""Lowest and highest power of the speech beside the noise's, in dB."""

_MARKER: Final = "whole"


@dataclass(frozen=True, kw_only=True)
class Drive:
    """How recordings are heard in cars.

    Attributes:
        rate: samples a second.
        seconds: that each recording lasts then; the noise goes on behind the words.
        seed: what every car depends on, beside the recording's name.
    """

    rate: int
    seconds: float
    seed: int

    def car(self, name: str) -> str:
        """Return the name of the car that a recording is heard in: every one has its own."""
        return f"car-{seed_of('car', self.seed, name):016x}"


def in_a_car(
    root: Path, names: Sequence[str], chosen: Collection[str], drive: Drive, cache: Path
) -> Path:
    """Return a folder with all files ``names`` of ``root``, those ``chosen`` heard in a car.

    It is written once for each choice. A chosen file that cannot be read stays as it is: whoever
    reads the folder sets it aside.

    Raises:
        StorageError: the folder cannot be written.
    """
    key = seed_of(root, drive, *sorted(chosen), *names)
    folder = cache / "sounds" / f"in-a-car-{key:016x}"
    if (folder / _MARKER).is_file():
        return folder
    try:
        with drafted(folder, _MARKER) as draft:
            for name in names:
                if name in chosen:
                    _drive(root / name, draft / name, drive)
                else:
                    shutil.copyfile(root / name, draft / name)
            (draft / _MARKER).touch()
    except OSError as error:
        raise StorageError(
            f"cannot write the sounds in {folder}: {error}; free some space or set GAPWISE_CACHE "
            "to another folder"
        ) from error
    return folder


def _drive(file: Path, to: Path, drive: Drive) -> None:
    try:
        sound = read_sound(file, drive.rate)
    except BadSoundError:
        shutil.copyfile(file, to)
        return
    car = drive.car(file.name)
    ratio = np.random.default_rng(seed_of("ratio", car)).uniform(*SNR)
    samples = round(drive.seconds * drive.rate)
    noise = engine(car, drive.rate, samples)
    to.write_bytes(as_wav(laid_under(sound, noise, ratio, 0, samples), drive.rate))
