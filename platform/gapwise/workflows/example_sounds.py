"""What the examples of a stored run sound like: the wav files that its tables name.

As with pictures, a path is opened only inside the root that the table states, and every sound is
decoded and encoded again here.
"""

from collections.abc import Iterable
from typing import Final

from gapwise.data.safe_path import refusal
from gapwise.data.sound_set import BadSoundError, as_wav, read_any
from gapwise.workflows.example_pictures import Media

MOST_BYTES: Final = 32 * 2**20
SUFFIX: Final = ".wav"


def has_sounds(known: Iterable[Media]) -> bool:
    """Return whether the tables name sounds."""
    return any(path.lower().endswith(SUFFIX) for table in known for path in table.paths.values())


def sound(known: Iterable[Media], example_id: str) -> bytes | None:
    """Return an example's sound as a wav file.

    None where the example names no wav file, or one that leads out of its root or cannot be read.
    """
    for table in known:
        name = table.paths.get(example_id)
        if name is not None:
            return _heard(table, name)
    return None


def _heard(table: Media, name: str) -> bytes | None:
    path = table.root / name
    if not name.lower().endswith(SUFFIX) or refusal(table.root, name):
        return None
    if path.stat().st_size > MOST_BYTES:
        return None
    try:
        return as_wav(*read_any(path))
    except BadSoundError:
        return None
