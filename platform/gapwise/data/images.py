"""One image file: what its header says, and its pixels.

Accepted are JPEG, PNG and WebP, judged by content and never by the file's name. Every image is
turned upright by its EXIF orientation and brought to one shape by one conversion: 16-bit grey is
divided by 257, everything else goes through Pillow's own conversion to grey (``L``) or ``RGB``
(transparency is dropped), and a size that differs is resized bilinearly. Of several frames the
first is read.
"""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")
GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "F"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an image may measure: shortest side in pixels, most pixels in millions."""

    min_side: int = 4
    max_megapixels: float = 50.0


@dataclass(frozen=True, kw_only=True)
class Header:
    """What an image's header says.

    Attributes:
        height, width: after it is turned upright.
        grey: whether it has no colour.
        frames: pictures in the file; the first is read.
    """

    height: int
    width: int
    grey: bool
    frames: int = 1


class BadImageError(Exception):
    """An image that must be set aside, with a code and a reason for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read_bytes(path: Path) -> bytes:
    """Return a file's content.

    Raises:
        BadImageError: it is empty, gone, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise BadImageError("not-found", "file not found") from error
    except OSError as error:
        raise BadImageError("unreadable", f"cannot be read ({error.strerror})") from error
    if not content:
        raise BadImageError("empty", "the file holds 0 bytes")
    return content


def read_header(content: bytes, limits: Limits) -> Header:
    """Return what an image's header says, decoding no pixel.

    Raises:
        BadImageError: of another format, too small, or too large.
    """
    with _open(content) as image:
        width, height = image.size
        if _orientation(image) >= 5:
            width, height = height, width
        if width * height > limits.max_megapixels * 1e6:
            raise BadImageError(
                "too-large",
                f"{width}×{height} is more than {limits.max_megapixels:g} million pixels",
            )
        if min(width, height) < limits.min_side:
            raise BadImageError(
                "too-small", f"{width}×{height} has a side under {limits.min_side} pixels"
            )
        frames = int(getattr(image, "n_frames", 1))
        return Header(height=height, width=width, grey=image.mode in GREY_MODES, frames=frames)


def decode(content: bytes, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Return an image's pixels: (channels, height, width) uint8, upright.

    The header must have been read before, since that is where bombs are refused.

    Raises:
        BadImageError: the image is truncated or damaged.
    """
    with _open(content) as image:
        try:
            # verify() passes a JPEG that is cut short; only a full decode finds it.
            image.load()
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
            raise BadImageError("truncated", f"cannot be decoded ({error})") from error
        pixels = _upright(image)
        pixels = _eight_bit(pixels).convert("L" if channels == 1 else "RGB")
        if pixels.size != (width, height):
            pixels = pixels.resize((width, height), Image.Resampling.BILINEAR)
        array = np.asarray(pixels, dtype=np.uint8)
    return array[None] if channels == 1 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _open(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow warns of a bomb from 89 million pixels on; our own limit is lower.
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise BadImageError(
            "format", f"is {_real_format(content)}, not JPEG, PNG or WebP"
        ) from error
    except Image.DecompressionBombError as error:
        raise BadImageError("too-large", "has far too many pixels") from error
    except Exception as error:
        # Pillow's plug-ins raise whatever they meet in damaged bytes (struct.error, KeyError, …).
        raise BadImageError("damaged", f"cannot be opened ({type(error).__name__})") from error


def _real_format(content: bytes) -> str:
    start = content[:512].lstrip().lower()
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if start.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    if b"<svg" in start:
        return "SVG"
    known = {b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"%PDF": "PDF", b"P5": "PGM"}
    return next((name for magic, name in known.items() if content.startswith(magic)), "no image")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF is of no account
        return 1


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF is of no account
        return image


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.int64).clip(0, 65535)
        return Image.fromarray((wide // 257).astype(np.uint8))
    return image
