"""Y10: whatever is done to a pipeline file, it loads or is refused in one sentence, at once."""

import random
import time
from pathlib import Path

import pytest

from gapwise import pipeline_file
from gapwise.errors import PipelineError

CASES = 20_000
SHIPPED = ("adult", "digits", "fashion", "mnist-to-usps")
WORDS = (
    *(b"\0", b"\t", b"\n", b" ", b": ", b"- ", b"#", b"&a ", b"*a", b"!!python/name:os.system "),
    *(b"[", b"]", b"{", b"}", b"'", b'"', b"|", b">", b"%YAML 1.1\n", b"---\n", b"...\n", b"<<: "),
    *(b"\xff", b"\xc3", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"1e999", b".nan", b"${HOME}", b"null"),
    *(b"[" * 60, b"- " * 60, b"9" * 5000, b"name: os:system\n"),
)


def mutated(text: bytes, draw: random.Random) -> bytes:
    for _ in range(draw.randint(1, 6)):
        at, to = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        kind = draw.randrange(4)
        if kind == 0:
            text = text[:at] + draw.choice(WORDS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[min(to, at + draw.randint(1, 20)) :]
        elif kind == 2:
            text = text[:at] + bytes([draw.randrange(256)]) + text[at + 1 :]
        else:
            text = text[:to] + text[at:to] + text[to:]
    return text


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_y10_mutated_pipelines(tmp_path: Path) -> None:
    originals = [pipeline_file.find(name).read_bytes() for name in SHIPPED]
    path = tmp_path / "p.yaml"
    refused = 0
    for seed in range(CASES):
        draw = random.Random(seed)
        path.write_bytes(mutated(draw.choice(originals), draw))
        began = time.process_time()
        try:
            pipeline_file.load(str(path))
        except PipelineError as error:
            refused += 1
            assert str(error).isprintable(), seed  # noqa: PT017
            assert len(str(error)) < 1000, seed  # noqa: PT017
        assert time.process_time() - began < 1, seed
    assert refused > CASES / 4
