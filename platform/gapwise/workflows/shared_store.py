"""A store that driver and workers both reach where they share no folder: S3 or its like, by fsspec.

``GAPWISE_SHARED`` names it, as ``s3://bucket/gapwise``; credentials are the store's own business.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gapwise.errors import ServiceError, UsageError, shown

WHOLE = "whole"
"""Written last: a folder without it was cut off while it was sent."""

_LOCKS = ("lock", "drain.lock")

_FLAT = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "oci", "r2"})
"""Stores without folders."""


class SharedStore:
    """Folders of files under one address."""

    def __init__(self, url: str) -> None:
        """Open the store.

        Raises:
            UsageError: the address names no store, or one whose driver is not installed.
        """
        import fsspec

        self._url = url
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise UsageError(
                f"GAPWISE_SHARED is {shown(url)!r}: {shown(error, 200)}; write s3://BUCKET/PREFIX "
                "(pip install 'gapwise[s3]') or another address that fsspec knows"
            ) from error

    def send(self, source: Path, key: str) -> None:
        """Make the store's folder ``key`` hold what ``source`` holds: a folder's files, or a file.

        Tensors go first: a checkpoint's JSON names them.

        Raises:
            ServiceError: the store does not answer.
        """
        with self._answering():
            there = self._sizes(key)
            inside = [source] if source.is_file() else source.iterdir()
            paths = [path for path in inside if path.is_file() and path.name not in _LOCKS]
            for path in sorted(paths, key=lambda one: (one.suffix == ".json", one.name)):
                if path.suffix == ".json" or there.get(path.name) != path.stat().st_size:
                    self._put(path, f"{key}/{path.name}")
            for name in there.keys() - {path.name for path in paths}:
                self._files.rm_file(f"{self._root}/{key}/{name}")

    def send_tree(self, source: Path, key: str) -> None:
        """Make ``key`` hold what the folder ``source`` and all folders in it hold.

        Checkpoints go last: what they build on is there before them.

        Raises:
            ServiceError: the store does not answer.
        """
        inside = [source, *(path for path in source.rglob("*") if path.is_dir())]
        for folder in sorted(inside, key=lambda path: (path.name == "checkpoints", path)):
            relative = folder.relative_to(source).as_posix()
            self.send(folder, key if relative == "." else f"{key}/{relative}")

    def send_once(self, source: Path, key: str) -> None:
        """Send a folder or a file that never changes, unless it is there, whole.

        Raises:
            ServiceError: the store does not answer.
        """
        with self._answering():
            if WHOLE in self._sizes(key):
                return
        self.send(source, key)
        with self._answering():
            self._files.pipe_file(f"{self._root}/{key}/{WHOLE}", b"whole")

    def fetch(self, key: str, folder: Path) -> None:
        """Bring what the store's folder ``key`` holds, if anything, into ``folder``.

        Raises:
            ServiceError: the store does not answer.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with self._answering():
            for name, size in self._sizes(key).items():
                path = folder / name
                if path.suffix == ".json" or not path.is_file() or path.stat().st_size != size:
                    draft = path.with_name(f".{name}.{os.getpid()}")
                    self._files.get_file(f"{self._root}/{key}/{name}", str(draft))
                    draft.replace(path)

    def fetch_tree(self, key: str, folder: Path) -> None:
        """Bring what ``key`` holds, if anything, and all folders in it, into ``folder``.

        Raises:
            ServiceError: the store does not answer.
        """
        for one in self._folders(key):
            self.fetch(one, folder / one.removeprefix(key).lstrip("/"))

    def fetch_once(self, key: str, folder: Path) -> Path:
        """Bring a folder that never changes, unless it is here; whole, or not at all.

        Raises:
            ServiceError: the store does not answer.
        """
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            try:
                self.fetch(key, draft)
                if not (draft / WHOLE).is_file():
                    raise ServiceError(
                        f"the shared store {shown(self._url)} holds no whole {key}; call the "
                        "command again, which sends it"
                    )
                draft.rename(folder)
            except OSError:
                if not folder.is_dir():  # another worker was faster
                    raise
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return folder

    def remove(self, key: str) -> None:
        """Remove a folder.

        Raises:
            ServiceError: the store does not answer.
        """
        with self._answering():
            for name in self._sizes(key):
                self._files.rm_file(f"{self._root}/{key}/{name}")

    def remove_tree(self, key: str) -> None:
        """Remove a folder and all folders in it.

        Raises:
            ServiceError: the store does not answer.
        """
        for one in self._folders(key):
            self.remove(one)

    def _folders(self, key: str) -> list[str]:
        """Return the keys of the folders that hold files under ``key``."""
        with self._answering():
            self._files.invalidate_cache()
            paths = self._files.find(f"{self._root}/{key}")
        return sorted({path.removeprefix(f"{self._root}/").rpartition("/")[0] for path in paths})

    def _sizes(self, key: str) -> dict[str, int]:
        self._files.invalidate_cache()
        try:
            found: list[dict[str, Any]] = self._files.ls(f"{self._root}/{key}", detail=True)
        except FileNotFoundError:
            return {}
        return {
            one["name"].rpartition("/")[2]: one["size"] for one in found if one["type"] == "file"
        }

    def _protocols(self) -> tuple[str, ...]:
        named = self._files.protocol
        return (named,) if isinstance(named, str) else tuple(named)

    def _put(self, path: Path, name: str) -> None:
        target = f"{self._root}/{name}"
        if not _FLAT.intersection(self._protocols()):  # there it would make a bucket
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(path), target)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each store has errors of its own
            raise ServiceError(
                f"the shared store {shown(self._url)} does not answer: {shown(error, 200)}; see "
                "that it is there and that its credentials are set, and call the command again"
            ) from error
