"""Digests of files, read in pieces."""

import hashlib
from pathlib import Path


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def snapshot_of(*paths: Path) -> dict[str, str]:
    """Return each file's absolute path with its sha256, so that a later change is noticed."""
    return {str(path.resolve()): file_digest(path) for path in paths}
