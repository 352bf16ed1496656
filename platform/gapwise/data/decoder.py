"""The process that decodes images, so that a decoder that crashes or hangs takes nobody along.

It reads one task a line, a blank line ends a piece; it answers each task in order with a line of
JSON and, where the image is good, its pixels. ``gapwise.data.decoding`` starts it and listens.
"""

import json
import resource
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from gapwise.data.images import BadImageError, decode, read_bytes

CHANGED = "changed"
READY = b"ready\n"
MEMORY = 2**30
"""Bytes of addresses that each thread may use, beside those of the libraries."""


def main(threads: int) -> None:
    """Answer until nobody asks any more."""
    with suppress(ValueError, OSError):  # a lower limit that is set already holds
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY * (threads + 2),) * 2)
    out = sys.stdout.buffer
    out.write(READY)
    out.flush()
    with ThreadPoolExecutor(threads) as pool:
        while piece := list(_piece(sys.stdin.buffer)):
            # One thread answers each before it begins the next: so it is known which went well.
            for answer, pixels in (map if threads == 1 else pool.map)(_decoded, piece):
                out.write(json.dumps(answer).encode() + b"\n")
                out.write(pixels)
                if threads == 1:
                    out.flush()
            out.flush()


def _piece(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.strip():
            return
        yield json.loads(line)


def _decoded(task: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    channels, height, width = task["shape"]
    try:
        content = read_bytes(Path(task["path"]))
        if sha256(content).hexdigest() != task["sha256"]:
            return {"code": CHANGED, "reason": "changed after it was indexed"}, b""
        return {}, decode(content, height, width, channels).tobytes()
    except BadImageError as error:
        return {"code": error.code, "reason": error.reason}, b""


if __name__ == "__main__":
    main(int(sys.argv[1]))
