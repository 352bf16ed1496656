"""Image files: bad ones are set aside with a code, good ones are decoded once and upright."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gapwise.data import prepared, store
from gapwise.data.datasets.folder import folder
from gapwise.data.images import BadImageError, Limits, decode, read_header
from gapwise.data.report import summary
from gapwise.data.splits import assign
from gapwise.data.store import Shape, decode_all
from gapwise.errors import DataError
from gapwise.pipeline import Splits


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def noise(width=32, height=24, mode="RGB"):
    random = np.random.default_rng(0)
    return Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(
        mode
    )


def attempt(content, limits=None):
    """The code under which content is set aside, or "" where it is read."""
    try:
        header = read_header(content, limits or Limits())
        decode(content, header.height, header.width, 3)
    except BadImageError as error:
        return error.code
    return ""


def test_i1_truncated_jpegs_are_found_by_a_full_decode():
    whole = encoded(noise(200, 150), "JPEG", quality=95)
    assert attempt(whole) == ""
    cut = whole[: len(whole) - 2000]
    with Image.open(io.BytesIO(cut)) as image:
        image.verify()  # trap 8: this passes
    for missing in range(3, 2000, 10):
        assert attempt(whole[:-missing]) == "truncated", missing


def png_header(width, height):
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    bomb = zlib.compress(b"\0" * 10_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", bomb) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [7_072, 13_000, 30_000, 2**31 - 1])
def test_i2_bombs_are_refused_from_the_header(side):
    with pytest.raises(BadImageError) as caught:
        read_header(png_header(side, side), Limits())
    assert caught.value.code in ("too-large", "damaged")
    assert caught.value.code == "too-large" or side > 30_000


def test_i2_the_limit_is_a_setting():
    assert attempt(encoded(noise(100, 100), "PNG"), Limits(max_megapixels=0.009)) == "too-large"
    assert attempt(encoded(noise(100, 100), "PNG"), Limits(max_megapixels=0.011)) == ""


@pytest.mark.parametrize(
    ("content", "real"),
    [
        (encoded(noise(), "GIF"), "GIF"),
        (encoded(noise(), "BMP"), "BMP"),
        (encoded(noise(), "TIFF"), "TIFF"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"hello", "no image"),
    ],
)
def test_i3_other_formats_are_set_aside_with_their_real_name(content, real):
    with pytest.raises(BadImageError, match=rf"is {real}, not JPEG, PNG or WebP") as caught:
        read_header(content, Limits())
    assert caught.value.code == "format"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_i3_the_three_formats_are_read_whatever_the_name(kind):
    assert attempt(encoded(noise(), kind)) == ""


def test_i4_all_eight_exif_orientations_load_alike():
    upright = noise(32, 24)
    turns = Image.Transpose
    stored_as = {
        1: (),
        2: (turns.FLIP_LEFT_RIGHT,),
        3: (turns.ROTATE_180,),
        4: (turns.FLIP_TOP_BOTTOM,),
        5: (turns.TRANSPOSE,),
        6: (turns.ROTATE_90,),
        7: (turns.TRANSVERSE,),
        8: (turns.ROTATE_270,),
    }
    loaded = set()
    for orientation, steps in stored_as.items():
        image = upright
        for step in steps:
            image = image.transpose(step)
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = encoded(image, "PNG", exif=exif)
        header = read_header(content, Limits())
        assert (header.height, header.width) == (24, 32), orientation
        loaded.add(decode(content, 24, 32, 3).tobytes())
    assert loaded == {np.asarray(upright).transpose(2, 0, 1).tobytes()}


def test_i4_damaged_exif_is_ignored():
    content = encoded(noise(), "JPEG", exif=b"Exif\0\0" + b"\xff" * 40)
    assert attempt(content) == ""


@pytest.mark.parametrize(
    ("size", "code"),
    [((1, 1), "too-small"), ((1, 10_000), "too-small"), ((3, 50), "too-small"), ((4, 4), "")],
)
def test_i6_tiny_sides_are_set_aside(size, code):
    assert attempt(encoded(noise(*size), "PNG")) == code


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "YCbCr"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_becomes_eight_bits(mode, channels):
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    if mode in ("I;16", "I"):
        grey = np.asarray(noise(mode="L")).astype(np.uint16) * 257
        image = Image.fromarray(grey)
        expected = np.asarray(noise(mode="L"))
        assert np.array_equal(decode(encoded(image, kind), 24, 32, 1)[0], expected)
    else:
        image = noise(mode=mode)
    found = decode(encoded(image, kind), 24, 32, channels)
    assert found.shape == (channels, 24, 32)
    assert found.dtype == np.uint8


@settings(max_examples=200, deadline=None)
@given(
    content=st.binary(max_size=200),
    lead=st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x20\0\0\0WEBPVP8 "]
    ),
)
def test_i9_random_bytes_give_a_code_and_nothing_else(content, lead):
    assert attempt(lead + content) != ""


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 600), value=st.integers(0, 255), kind=st.sampled_from(["PNG", "JPEG"]))
def test_i9_flipped_bytes_give_an_image_or_a_code(place, value, kind):
    content = bytearray(encoded(noise(8, 8), kind))
    content[place % len(content)] = value
    assert attempt(bytes(content)) in {
        "",
        "format",
        "too-large",
        "too-small",
        "truncated",
        "damaged",
    }


def test_a_folder_is_read_by_class_with_its_bad_images_counted(context, pictures):
    root = pictures(12)
    (root / "cat" / "empty.png").write_bytes(b"")
    (root / "cat" / "gif.jpg").write_bytes(encoded(noise(), "GIF"))
    (root / "dog" / "cut.jpg").write_bytes(encoded(noise(90, 90), "JPEG")[:-900])
    (root / "dog" / "notes.txt").write_text("no image")
    found = folder(context, path="pictures")
    assert found.inputs.shape == (12, 3, 10, 12)
    assert found.classes == ("cat", "dog")
    assert np.bincount(found.targets).tolist() == [6, 6]
    assert sorted(q.code for q in found.quarantine) == ["empty", "format", "truncated"]
    assert all(q.reason for q in found.quarantine)
    assert "1 files that are no images are ignored." in found.notes
    assert "cat/001.png" in found.ids
    assert np.array_equal(
        found.inputs[0], np.asarray(Image.open(root / found.ids[0])).transpose(2, 0, 1)
    )


def test_l1_a_folder_that_is_no_class_names_the_nearest(context, pictures):
    pictures(4)
    with pytest.raises(DataError, match=r"label dog .*nearest are"):
        folder(context, path="pictures", classes=["cat", "dig"])


def test_other_sizes_are_resized_and_told(context, pictures, make_picture):
    root = pictures(6)
    make_picture(root / "cat" / "large.png", size=(40, 30))
    found = folder(context, path="pictures")
    assert found.inputs.shape[2:] == (10, 12)
    assert "1 of 7 images are resized to 10×12 (height × width)." in found.notes
    assert folder(context, path="pictures", size=(5, 6), channels=1).inputs.shape == (7, 1, 5, 6)


def test_grey_images_have_one_channel(context, make_picture):
    for index in range(4):
        make_picture(context.root / "p" / "ab"[index % 2] / f"{index}.png", index, mode="L")
    assert folder(context, path="p").inputs.shape[1] == 1


def test_images_are_decoded_once(context, pictures, monkeypatch):
    pictures(6)
    first = folder(context, path="pictures")

    def never(*arguments):
        raise AssertionError("decoded again")

    monkeypatch.setattr(store, "decoded", never)
    second = folder(context, path="pictures")
    assert np.array_equal(first.inputs, second.inputs)
    assert isinstance(second.inputs, np.memmap)


def test_the_store_goes_by_content(context, pictures, make_picture):
    root = pictures(4)
    before = folder(context, path="pictures").inputs.copy()
    make_picture(root / "dog" / "000.png", seed=99)
    after = folder(context, path="pictures").inputs
    changed = (before != after).any(axis=(1, 2, 3))
    assert changed.sum() == 1


def test_a_set_in_many_pieces_equals_one_piece(context, pictures, monkeypatch):
    root = pictures(11)
    (root / "cat" / "cut.jpg").write_bytes(encoded(noise(90, 90), "JPEG")[:-900])
    whole = folder(context, path="pictures")
    monkeypatch.setattr(store, "PIECE_BYTES", 1)
    monkeypatch.setattr(store, "THREADS", 3)
    monkeypatch.setattr(store, "LOOKED_AT_ONCE", 4)
    names = [*whole.ids, "cat/cut.jpg"]
    other = context.settings.cache / "other"
    pieces = decode_all(root, names, other, Shape(), Limits())
    assert np.array_equal(pieces.images, whole.inputs)
    assert pieces.kept.tolist() == list(range(11))


def test_d12_images_that_change_after_indexing_are_set_aside(context, pictures, monkeypatch):
    root = pictures(30)
    index = store.index

    def index_then_edit(*arguments):
        found = index(*arguments)
        for item in found[0][:10]:
            content = (root / item.path).read_bytes()
            (root / item.path).write_bytes(content + b"\0")
        for item in found[0][10:15]:
            (root / item.path).touch()
        return found

    monkeypatch.setattr(store, "index", index_then_edit)
    found = folder(context, path="pictures")
    assert len(found) == 20
    assert [q.code for q in found.quarantine] == ["changed"] * 10
    monkeypatch.setattr(store, "index", index)
    assert len(folder(context, path="pictures")) == 30


def test_a_folder_of_nothing_usable_says_why(context, make_picture):
    (context.root / "p" / "a").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no images in folders by class"):
        folder(context, path="p")
    (context.root / "p" / "a" / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"none of 1 images can be used, such as a/x\.png"):
        folder(context, path="p")
    (context.root / "p" / "a" / "x.png").write_bytes(encoded(noise(90, 90), "JPEG")[:-900])
    with pytest.raises(DataError, match="can be decoded"):
        folder(context, path="p")
    with pytest.raises(DataError, match="there is no folder"):
        folder(context, path="q")


def test_a_set_is_prepared_in_a_part_of_its_size(context, make_picture, monkeypatch):
    """60 pictures of 192 kB are 11.5 MB; two thirds of that must do."""
    for index in range(60):
        make_picture(context.root / "p" / "ab"[index % 2] / f"{index}.png", index, size=(256, 250))
    monkeypatch.setattr("gapwise.data.pieces.PIECE_BYTES", 2**20)
    monkeypatch.setattr(store, "PIECE_BYTES", 2**20)
    tracemalloc.start()
    try:
        examples = folder(context, path="p")
        assignment = assign(examples, Splits())
        summary(examples, assignment)
        prepared.write(context.root / "prepared", examples, assignment)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert examples.inputs.nbytes > 11e6
    assert peak < 7.5e6
