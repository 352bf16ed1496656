"""Images decoded in a process of their own: one that crashes it is set aside (FAULTS I8).

A piece of images is decoded by several threads at once. Where their process ends, or says nothing
for too long, the rest of the piece is decoded one by one, which tells whose fault it was.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gapwise.data.decoder import READY
from gapwise.data.images import BadImageError
from gapwise.errors import StorageError

PROGRAM = [sys.executable, "-m", "gapwise.data.decoder"]
PATIENCE = 20.0
"""Seconds without a word after which a decoder hangs; the largest image takes one or two."""

TRIES: Final = 3
_ENDED: Final = "crashes its decoder"


class Task(NamedTuple):
    """An image file, the digest that it must have, and what its pixels are brought to."""

    path: Path
    sha256: str
    shape: tuple[int, int, int]


Outcome = NDArray[np.uint8] | BadImageError


class _LostError(Exception):
    """The decoder is gone or silent; says why."""


def decoded(pieces: Iterator[Sequence[Task]], threads: int) -> Iterator[Outcome]:
    """Give each image's pixels, or why it has none, in order.

    Raises:
        StorageError: no decoder can be started.
    """
    decoder = _Decoder(threads)
    try:
        for piece in pieces:
            done = 0
            try:
                for outcome in decoder.decode(piece):
                    done += 1
                    yield outcome
            except _LostError:
                decoder.close()
                yield from _one_by_one(piece[done:])
                decoder = _Decoder(threads)
    finally:
        decoder.close()


def _one_by_one(tasks: Sequence[Task]) -> Iterator[Outcome]:
    """Decode with a single thread: the image that it was lost at is the one at fault."""
    left = list(tasks)
    while left:
        decoder, done = _Decoder(threads=1), 0
        try:
            for outcome in decoder.decode(left):
                done += 1
                yield outcome
        except _LostError as lost:
            yield BadImageError("decoder", str(lost))
            done += 1
        finally:
            decoder.close()
        left = left[done:]


class _Decoder:
    """A decoding process; it answers in the order in which it was asked."""

    def __init__(self, threads: int) -> None:
        self._heard = bytearray()
        for _ in range(TRIES):
            self._process = subprocess.Popen(
                [*PROGRAM, str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a signal from the keyboard is the caller's affair
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            )
            try:
                if self._line() == READY.strip():
                    return
            except _LostError:
                pass
            self.close()
        raise StorageError(
            f"the process that decodes images cannot be started ({' '.join(PROGRAM)}); see what it "
            "says when it is called by hand"
        )

    def decode(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Give the outcome of each task.

        Raises:
            _LostError: the process ended, or said nothing for too long.
        """
        asked = [
            json.dumps({"path": str(task.path), "sha256": task.sha256, "shape": task.shape})
            for task in tasks
        ]
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(("\n".join(asked) + "\n\n").encode())
            self._process.stdin.flush()
        except OSError as error:
            raise _LostError(_ENDED) from error
        for task in tasks:
            answer = json.loads(self._line())
            if answer:
                yield BadImageError(answer["code"], answer["reason"])
            else:
                pixels = self._bytes(prod(task.shape))
                yield np.frombuffer(pixels, np.uint8).reshape(task.shape)

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # what was left to be said has nobody to hear it

    def _line(self) -> bytes:
        while (end := self._heard.find(b"\n")) < 0:
            self._hear()
        line = bytes(self._heard[:end])
        del self._heard[: end + 1]
        return line

    def _bytes(self, count: int) -> bytes:
        while len(self._heard) < count:
            self._hear()
        content = bytes(self._heard[:count])
        del self._heard[:count]
        return content

    def _hear(self) -> None:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        began = time.monotonic()
        if not select.select([pipe], [], [], PATIENCE)[0]:
            waited = time.monotonic() - began
            raise _LostError(f"was not decoded within {waited:.0f} s")
        content = os.read(pipe, 2**20)
        if not content:
            raise _LostError(_ENDED)
        self._heard += content
