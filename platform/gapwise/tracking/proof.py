"""Proof that a run is what was written: the digest of each of its files, and of its points."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from gapwise.errors import StorageError
from gapwise.tracking.files import sha256
from gapwise.tracking.folder import RunFolder

MOST_NAMED = 3


def prove(folders: Iterable[RunFolder]) -> int:
    """Check every file of runs that have ended; return how many hold.

    Raises:
        StorageError: some are missing or damaged; names the first of them.
    """
    count, broken = 0, []
    for folder in folders:
        for path, expected in _digests(folder):
            why = _why_not(path, expected)
            count += not why
            if why:
                broken.append(f"{path} {why}")
    if broken:
        more = f" and {len(broken) - MOST_NAMED} more" if len(broken) > MOST_NAMED else ""
        raise StorageError(
            f"{', '.join(broken[:MOST_NAMED])}{more}; restore them from a backup, or from a "
            "tracking server's copy of the run"
        )
    return count


def _digests(folder: RunFolder) -> Iterator[tuple[Path, str]]:
    record = folder.read()
    if folder.true_status(record) == "RUNNING":
        return
    for file in record.files:
        yield folder.path / file.path, file.sha256
    if record.spool_sha256:
        yield folder.spool, record.spool_sha256


def _why_not(path: Path, expected: str) -> str:
    if not path.is_file():
        return "is missing"
    return "" if sha256(path) == expected else "is damaged"
