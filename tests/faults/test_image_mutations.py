"""I9: whatever is done to an image file, it is read or set aside with a code, in little memory."""

import io
import random
import resource
import time

import numpy as np
import pytest
from PIL import Image

from gapwise.data.images import BadImageError, Limits, decode, read_header

CASES = 20_000
MOST_GROWTH = 300 * 2**20
"""Bytes that memory may grow by, whatever a header claims."""

WORDS = (
    *(b"\0", b"\xff", b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xe1\xff\xff", b"Exif\0\0II*\0"),
    *(b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"acTL", b"fdAT", b"eXIf"),
    *(b"RIFF", b"WEBPVP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"\xff\xff\xff\xff", b"\x7f" * 8),
)


def originals() -> list[bytes]:
    draw = np.random.default_rng(0)
    colour = Image.fromarray(draw.integers(0, 256, (24, 20, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [colour.rotate(90 * turn) for turn in range(3)]
    ways: list[tuple[Image.Image, str, dict[str, object]]] = [
        (colour, "PNG", {}),
        (colour.quantize(8), "PNG", {"transparency": 0}),
        (Image.fromarray(draw.integers(0, 2**16, (24, 20), dtype=np.uint16)), "PNG", {}),
        (colour, "PNG", {"save_all": True, "append_images": frames}),
        (colour, "JPEG", {"exif": exif}),
        (colour.convert("CMYK"), "JPEG", {"progressive": True}),
        (colour, "WEBP", {}),
        (colour, "WEBP", {"lossless": True, "save_all": True, "append_images": frames}),
    ]
    found = []
    for image, kind, options in ways:
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        found.append(stream.getvalue())
    return found


def mutated(content: bytes, draw: random.Random) -> bytes:
    for _ in range(draw.randint(1, 5)):
        at, to = sorted(draw.randrange(len(content) + 1) for _ in range(2))
        kind = draw.randrange(5)
        if kind == 0:
            content = content[:at] + draw.choice(WORDS) + content[at:]
        elif kind == 1:
            content = content[:at] + content[min(to, at + draw.randint(1, 20)) :]
        elif kind == 2:
            content = content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]
        elif kind == 3:
            content = content[:to] + content[at:to] + content[to:]
        else:
            content = content[: max(1, to)]
    return content


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_i9_mutated_images() -> None:
    known = originals()
    before, good, codes = memory(), 0, set()
    for seed in range(CASES):
        draw = random.Random(seed)
        content = mutated(draw.choice(known), draw)
        began = time.process_time()
        try:
            header = read_header(content, Limits())
            pixels = decode(content, header.height, header.width, 1 if header.grey else 3)
        except BadImageError as error:
            codes.add(error.code)
            assert error.reason.isprintable(), seed  # noqa: PT017
        else:
            good += 1
            assert pixels.dtype == np.uint8, seed
            assert pixels.shape[1:] == (header.height, header.width), seed
        assert time.process_time() - began < 2, seed
    assert memory() - before < MOST_GROWTH
    assert CASES / 20 < good < CASES * 19 / 20
    assert {"damaged", "format", "truncated"} <= codes
