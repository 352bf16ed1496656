"""Small pictures on a terminal: half blocks in colour where it can, else shades of ASCII."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SHADES = " .:-=+*#%@"
GAP = 2

Pixel = int | Sequence[int]
Pixels = Sequence[Sequence[Pixel]]
Sample = Mapping[str, Any]
"""``title`` (lines of text) and ``pixels``: rows of greys (0–255) or of [red, green, blue]."""


def show(out: "Console", samples: Sequence[Sample]) -> None:
    """Print pictures side by side, as many in a row as the terminal is wide."""
    coloured = out.color_system in ("256", "truecolor") and out.encoding.startswith("utf")
    width = max((_width(sample, coloured) for sample in samples), default=1)
    columns = max(1, (out.width + GAP) // (width + GAP))
    for start in range(0, len(samples), columns):
        _show_row(out, samples[start : start + columns], width, coloured)


def ascii_picture(pixels: Pixels) -> list[str]:
    """Return a picture as lines of ASCII, two characters a pixel so that it keeps its form."""
    return [
        "".join(2 * SHADES[_grey(pixel) * len(SHADES) // 256] for pixel in row) for row in pixels
    ]


def half_blocks(pixels: Pixels) -> "list[Text]":
    """Return a picture as coloured lines, two rows of pixels a line."""
    from rich.text import Text

    lines = []
    for top, bottom in zip(pixels[::2], [*pixels[1::2], None], strict=False):
        line = Text()
        for x, pixel in enumerate(top):
            below = f" on {_colour(bottom[x])}" if bottom is not None else ""
            line.append("▀", style=f"{_colour(pixel)}{below}")
        lines.append(line)
    return lines


def _show_row(out: "Console", samples: Sequence[Sample], width: int, coloured: bool) -> None:
    from rich.text import Text

    pictures: list[list[Text]] = []
    for sample in samples:
        pixels = sample["pixels"]
        picture = half_blocks(pixels) if coloured else [Text(s) for s in ascii_picture(pixels)]
        pictures.append([*(Text(line[:width]) for line in sample["title"]), *picture])
    for line in range(max(map(len, pictures))):
        row = Text()
        for lines in pictures:
            cell = lines[line] if line < len(lines) else Text()
            row.append_text(cell)
            row.append(" " * (width + GAP - len(cell)))
        row.rstrip()
        out.print(row, highlight=False, no_wrap=True, overflow="crop")
    out.print()


def _width(sample: Sample, coloured: bool) -> int:
    pixels = len(sample["pixels"][0]) * (1 if coloured else 2)
    return max(pixels, 12)


def _grey(pixel: Pixel) -> int:
    if isinstance(pixel, int):
        return pixel
    red, green, blue = pixel
    # Luma of ITU-R BT.601, as Pillow's conversion to "L".
    return (299 * red + 587 * green + 114 * blue) // 1000


def _colour(pixel: Pixel) -> str:
    red, green, blue = (pixel,) * 3 if isinstance(pixel, int) else pixel
    return f"rgb({red},{green},{blue})"
