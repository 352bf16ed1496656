"""The errors that a user can cause; each is one sentence: what, where, value, mend.

GapwiseError
├── CheckError       exit 1   a check did not hold
├── UsageError       exit 2   a command or an argument
│   └── PipelineError         a pipeline file or an override
├── DataError        exit 3   examples, labels, predictions
│   └── QuarantineError 4     done, but items were set aside under --strict
├── TrainingError    exit 3   a loss that is no number
│   └── MemoryShortError      memory that does not suffice
├── StoppedError     exit 130 training was asked to stop, and did at a checkpoint
├── StorageError     exit 5   disk, files, checkpoints
│   └── BusyError             somebody else holds the lock
└── ServiceError     exit 6   a server that is away
"""

import difflib
import re
from collections.abc import Iterable
from pathlib import PurePath

_SECRETS: dict[str, str] = {}

SHORTEST_SECRET = 4
"""A shorter text stands by chance in any message, and hides nothing that could not be guessed."""


def remember_secret(value: str, reference: str) -> None:
    """From now on say ``reference`` (``secret:NAME``) wherever ``value`` would be told.

    Datasets take their names from their files, so the parts of a path's name are secret with it.
    """
    path = PurePath(value)
    for text in (value, path.name, path.stem, path.name.partition(".")[0]):
        if len(text) >= SHORTEST_SECRET:
            _SECRETS[text] = reference


_PASSWORD = re.compile(r"(//[^/@:\s]*):[^/@\s]+@")
"""User and password in an address."""


def secrets_known() -> bool:
    """Return whether a secret was revealed in this process."""
    return bool(_SECRETS)


def redacted(text: str) -> str:
    """Return ``text`` with every secret that was revealed replaced by its reference.

    Of addresses the password is taken out, for errors of libraries quote them whole.
    """
    text = _PASSWORD.sub(r"\1:***@", text)
    for secret in sorted(_SECRETS, key=len, reverse=True):
        text = text.replace(secret, _SECRETS[secret])
    return text


class GapwiseError(Exception):
    """Base of every error that is told to the user as one sentence, without a traceback."""

    exit_code = 1

    def __str__(self) -> str:
        """Return the sentence, secrets hidden whoever wrote it."""
        return redacted(super().__str__())


class CheckError(GapwiseError):
    """A check did not hold."""


class UsageError(GapwiseError):
    """A command, an option or an argument cannot be used as it stands."""

    exit_code = 2


class PipelineError(UsageError):
    """A pipeline file, or an override of it, is wrong."""


class DataError(GapwiseError):
    """Examples, labels or predictions are wrong."""

    exit_code = 3


class QuarantineError(DataError):
    """The work is done, but items were quarantined and ``--strict`` was asked for."""

    exit_code = 4


class TrainingError(GapwiseError):
    """Training cannot go on; the last good checkpoint is kept.

    Attributes:
        step: the step (from 1, over all epochs) that went wrong, where one did.
        lr: the learning rate of that step.
        example_ids: the examples of that step's batch.
    """

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        step: int | None = None,
        lr: float | None = None,
        example_ids: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.step = step
        self.lr = lr
        self.example_ids = tuple(example_ids)


class MemoryShortError(TrainingError):
    """The device's memory does not suffice for a batch."""


class StoppedError(GapwiseError):
    """Training was asked to stop, and did, at a checkpoint that it resumes from."""

    exit_code = 130


class StorageError(GapwiseError):
    """A file or a folder cannot be read or written, or is damaged."""

    exit_code = 5


class BusyError(StorageError):
    """Another process holds the lock."""


class ServiceError(GapwiseError):
    """A server does not answer."""

    exit_code = 6


def shown(value: object, limit: int = 80) -> str:
    """Return ``value`` as it may stand in a message: escaped, at most ``limit`` characters.

    A path is never cut: a part of one leads nowhere. Secrets are replaced by their references.
    """
    text = redacted(value if isinstance(value, str) else str(value))
    safe = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    whole = isinstance(value, PurePath) or len(safe) <= limit
    return safe if whole else safe[: limit - 1] + "…"


def nearest(name: str, known: Iterable[str], count: int = 3, likeness: float = 0.5) -> list[str]:
    """Return up to ``count`` names from ``known`` that look most like ``name``."""
    return difflib.get_close_matches(name, list(known), n=count, cutoff=likeness)


MOST_NAMES = 14
"""Names that a sentence lists."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the help for a name that is not known: the nearest, else all, or the first of many."""
    known = sorted(known)
    close = nearest(name, known)
    if close:
        return f"did you mean {' or '.join(map(shown, close))}?"
    told = ", ".join(map(shown, known[:MOST_NAMES]))
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return f"known: {told}{more}" if known else "none are known"
