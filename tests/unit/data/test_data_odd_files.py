"""Files as they come: odd pixels, many frames, hidden bombs, ids in two spellings (FAULTS D, I)."""

import gzip
import io
import struct
import tracemalloc
import zlib
from hashlib import sha256
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gapwise.data.base import ReadContext
from gapwise.data.idx_file import read_idx
from gapwise.data.images import BadImageError, Limits, decode, read_header
from gapwise.data.load import read
from gapwise.errors import DataError
from gapwise.pipeline import Pipeline
from gapwise.settings import Settings


@pytest.fixture
def context(home: Path, tmp_path: Path) -> ReadContext:
    return ReadContext(settings=Settings.read(), root=tmp_path)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def ramp() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:12, 0:16]
    return np.stack([rows * 20, columns * 15, (rows + columns) * 9], -1).astype(np.uint8)


def odd_pixels() -> dict[str, bytes]:
    colour = Image.fromarray(ramp())
    clear = colour.convert("RGBA")
    clear.putalpha(Image.fromarray(ramp()[..., 1]))
    wide = (ramp()[..., 0].astype(np.uint16) * 257) + 100
    return {
        "CMYK": encoded(colour.convert("CMYK"), "JPEG", quality=100, subsampling=0),
        "16-bit": encoded(Image.fromarray(wide)),
        "palette": encoded(colour.quantize(16)),
        "palette + alpha": encoded(colour.quantize(16), transparency=0),
        "RGBA": encoded(clear),
        "1-bit": encoded(Image.fromarray(ramp()[..., 1]).convert("1")),
        "grey": encoded(Image.fromarray(ramp()[..., 0])),
        "grey + alpha": encoded(clear.convert("LA")),
    }


LOSSLESS = {
    "16-bit": ramp()[..., 0],
    "RGBA": ramp(),
    "grey": ramp()[..., 0],
}
"""What some of them must come back as: alpha is dropped, 16 bits are divided by 257."""

PINNED = {
    "palette": "eb87ba03e86a",
    "palette + alpha": "eb87ba03e86a",
    "1-bit": "aaae0b038c82",
    "grey + alpha": "a97b2920929f",
}
"""The first digits of the sha256 of what the others come back as."""


@pytest.mark.parametrize("kind", odd_pixels())
def test_i5_odd_pixels_have_one_conversion(kind: str) -> None:
    content = odd_pixels()[kind]
    header = read_header(content, Limits())
    pixels = decode(content, header.height, header.width, 1 if header.grey else 3)
    assert header.grey == (kind in ("16-bit", "1-bit", "grey", "grey + alpha"))
    assert pixels.shape == (1 if header.grey else 3, 12, 16)
    if kind in LOSSLESS:
        assert np.array_equal(pixels, np.atleast_3d(LOSSLESS[kind]).transpose(2, 0, 1))
    elif kind in PINNED:
        assert sha256(pixels.tobytes()).hexdigest()[:12] == PINNED[kind]
    else:  # a decoder of JPEG may round as it likes
        assert np.abs(pixels.transpose(1, 2, 0).astype(int) - ramp()).max() <= 12


def test_i7_the_first_of_several_frames_is_used_and_that_is_said(context: ReadContext) -> None:
    for name in "ab":
        folder = context.root / "pictures" / name
        folder.mkdir(parents=True)
        for row in range(3):
            still = Image.fromarray(np.full((8, 8), 40 * row + (name == "b"), np.uint8))
            still.save(folder / f"{row}.png")
    first = Image.fromarray(np.full((8, 8), 90, np.uint8))
    others = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (150, 250)]
    first.save(context.root / "pictures" / "a" / "moving.png", save_all=True, append_images=others)
    pipeline = Pipeline.model_validate({"data": {"dataset": {"name": "folder", "path": "pictures"}},
                                        "network": "small-cnn"})  # fmt: skip
    examples = read(pipeline, context.settings, context.root)
    row = [str(name).endswith("moving.png") for name in examples.ids].index(True)
    assert (np.asarray(examples.inputs[row]) == 90).all()
    assert "1 of 7 images have several frames; the first is used." in examples.notes


def chunk(kind: bytes, content: bytes) -> bytes:
    whole = kind + content
    return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))


def with_chunks(*chunks: bytes) -> bytes:
    """Return a small PNG that carries more behind its header."""
    content = encoded(Image.fromarray(ramp()))
    header = 8 + 25
    return content[:header] + b"".join(chunks) + content[header:]


def zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    piece = bytes(2**20)
    return b"".join([*(packer.compress(piece) for _ in range(megabytes)), packer.flush()])


@pytest.mark.parametrize(
    "content",
    [
        with_chunks(chunk(b"zTXt", b"Comment\0\0" + zeros(300))),
        with_chunks(chunk(b"iCCP", b"profile\0\0" + zeros(300))),
        with_chunks(*(chunk(b"zTXt", b"C%d\0\0" % n + zeros(1)) for n in range(100))),
        with_chunks(chunk(b"tEXt", b"Comment\0" + b"x" * (8 * 2**20))),
    ],
    ids=["one text of 300 MB", "a profile of 300 MB", "100 texts of 1 MB", "8 MB of plain text"],
)
def test_i10_hidden_bombs_are_set_aside_or_skipped_in_little_memory(content: bytes) -> None:
    import tracemalloc

    tracemalloc.start()
    try:
        header = read_header(content, Limits())
        pixels = decode(content, header.height, header.width, 3)
        assert np.array_equal(pixels.transpose(1, 2, 0), ramp())
    except BadImageError as error:
        assert error.code in ("damaged", "truncated")  # noqa: PT017 - either is right
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 100 * 2**20


def test_d10_an_id_has_one_spelling_and_twins_are_refused(context: ReadContext) -> None:
    composed, apart = (normalize(form, "café") for form in ("NFC", "NFD"))
    assert composed != apart
    rows = [f"{name},{i},{'xy'[i % 2]}" for i, name in enumerate([apart, "b", "c", "d"])]
    table = context.root / "t.csv"
    table.write_text("id,size,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    pipeline = Pipeline.model_validate({"data": {"dataset": {"name": "manifest", "path": "t.csv"}},
                                        "network": "multilayer-perceptron"})  # fmt: skip
    assert read(pipeline, context.settings, context.root).ids[0] == composed
    table.write_text("\n".join(["id,size,label", *rows, f"{composed},5,x", ""]), encoding="utf-8")
    with pytest.raises(DataError, match=r"stands twice, at examples 0 and 4; .* two spellings"):
        read(pipeline, context.settings, context.root)


def test_d10_directions_in_ids_are_shown_escaped(context: ReadContext) -> None:
    turned = "a\u202egnp.exe"
    text = f"id,size,label\n{turned},1,x\n{turned},2,y\n"
    (context.root / "t.csv").write_text(text, encoding="utf-8")
    pipeline = Pipeline.model_validate({"data": {"dataset": {"name": "manifest", "path": "t.csv"}},
                                        "network": "multilayer-perceptron"})  # fmt: skip
    with pytest.raises(DataError) as caught:
        read(pipeline, context.settings, context.root)
    assert "\\u202egnp.exe" in str(caught.value)
    assert "\u202e" not in str(caught.value)


def test_d13_an_archive_that_unpacks_beyond_the_limit_is_refused_unread(
    context: ReadContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = context.root / "bomb.npz"
    np.savez_compressed(file, images=np.zeros((3000, 32, 32), np.uint8), labels=np.arange(3000))
    assert file.stat().st_size < 100_000
    monkeypatch.setattr("gapwise.data.datasets.npz.MOST_BYTES", 2**20)
    pipeline = Pipeline.model_validate({"data": {"dataset": {"name": "npz", "path": "bomb.npz"}},
                                        "network": "small-cnn"})  # fmt: skip
    with pytest.raises(DataError, match=r"bomb\.npz: array 'images' unpacks to 0\.0 GB, more"):
        read(pipeline, context.settings, context.root)


def test_d13_a_packed_array_is_unpacked_as_far_as_its_header_promises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = tmp_path / "bomb.idx"
    # Four bytes are promised, and a hundred million come out of a hundred thousand.
    with gzip.open(bomb, "wb") as stream:
        stream.write(b"\0\0\x08\x01" + (4).to_bytes(4, "big"))
        for _ in range(100):
            stream.write(bytes(2**20))
    tracemalloc.start()
    with pytest.raises(DataError, match="holds more bytes of numbers where its header promises 4"):
        read_idx(bomb)
    assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    tracemalloc.stop()

    monkeypatch.setattr("gapwise.data.idx_file.MOST_BYTES", 2**20)
    bomb.write_bytes(b"\0\0\x08\x02" + (2**31).to_bytes(4, "big") * 2)
    with pytest.raises(DataError, match=r"bomb\.idx unpacks to [\d,.]+ GB, more than"):
        read_idx(bomb)
    bomb.write_bytes(b"\0\0\x08\xff" + (1).to_bytes(4, "big") * 255 + b"7")
    with pytest.raises(DataError, match="is no IDX file"):
        read_idx(bomb)


def test_d13_no_reader_unpacks_an_archive_of_files(context: ReadContext) -> None:
    """A zip or tar where a folder or a table is wanted is refused, whatever is in it."""
    import tarfile
    import zipfile

    outside = context.root.parent / "outside.txt"
    slip = context.root / "slip.zip"
    with zipfile.ZipFile(slip, "w") as archive:
        archive.writestr("../outside.txt", "out")
    tar = context.root / "slip.tar"
    with tarfile.open(tar, "w") as archive:
        member = tarfile.TarInfo("../outside.txt")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"out"))
    for name, key in (
        ("folder", "path"),
        ("manifest", "path"),
        ("npz", "path"),
        ("sounds", "path"),
    ):
        for file in (slip, tar):
            pipeline = Pipeline.model_validate(
                {"data": {"dataset": {"name": name, key: file.name}}, "network": "small-cnn"}
            )
            with pytest.raises(DataError, match=file.name):
                read(pipeline, context.settings, context.root)
    assert not outside.exists()
