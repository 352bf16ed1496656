"""Sounds in wav files: the class is the folder's name, or a part of the file's name."""

from pathlib import Path

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.file_names import named
from gapwise.data.labels import from_names
from gapwise.data.sound_set import Listening, listen
from gapwise.errors import DataError
from gapwise.records import ExampleSet

__all__ = ["sounds"]


def sounds(  # noqa: PLR0913 - one option each
    context: ReadContext,
    *,
    path: str,
    rate: int = 8000,
    seconds: float = 1.0,
    mels: int = 40,
    pattern: str | None = None,
    group: str | None = None,
    source: str | None = None,
) -> ExampleSet:
    """Read every wav file of a folder and its subfolders as log-mel features.

    Args:
        context: where relative paths begin.
        path: the folder.
        rate: samples a second of every file; files of another rate are set aside.
        seconds: length of an example; longer sounds are cut, shorter ones end in silence.
        mels: bands of pitch, the channels of an example.
        pattern: regular expression of a file's name without its ending; its group ``label`` is the
            class, its further named groups are columns. By default the folder's name is the class.
        group: column whose values never straddle splits, as a speaker's name.
        source: column that says which distribution a sound comes from.

    Raises:
        DataError: there is no sound, or a file's name does not fit.
        PipelineError: the pattern is none, or has no such group.
    """
    listening = Listening(rate=rate, seconds=seconds, mels=mels)
    root = context.root / path
    names = _names(root)
    columns = named(names, pattern, tuple(name for name in (group, source) if name))
    heard = listen(root, names, listening)
    columns = {name: column[heard.kept] for name, column in columns.items()}
    labels = columns.pop("label")
    targets, classes = from_names(labels.tolist(), None, heard.ids.tolist())
    return ExampleSet(
        name=root.name,
        inputs=heard.features,
        targets=targets,
        classes=classes,
        ids=heard.ids,
        sources=columns[source] if source else np.full(len(heard.ids), root.name),
        groups=columns[group] if group else None,
        metadata=columns | {"seconds": heard.seconds},
        media=heard.ids,
        media_root=str(root.resolve()),
        quarantine=heard.quarantine,
        notes=heard.notes,
    )


def _names(root: Path) -> list[str]:
    if not root.is_dir():
        raise DataError(f"{root} is no folder; give the folder of the wav files")
    return sorted(
        file.relative_to(root).as_posix()
        for file in root.rglob("*")
        if file.suffix.lower() == ".wav" and file.is_file()
    )
