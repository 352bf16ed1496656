"""How large a set's pictures are, seen from the headers of some of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from gapwise.data.images import BadImageError, Header, Limits, read_bytes, read_header

SEEN = 200
LARGEST = 64
SMALLEST = 8


@dataclass(frozen=True)
class PictureSizes:
    """What the headers say: the commonest form, and whether all are alike.

    Attributes:
        height, width: to work with, at most ``LARGEST`` a side.
        colour: whether any picture has colour.
        alike: every picture seen has exactly this height and width.
        seen: pictures whose header could be read.
    """

    height: int
    width: int
    colour: bool
    alike: bool
    seen: int

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return 3 if self.colour else 1


def picture_sizes(paths: Sequence[Path]) -> PictureSizes | None:
    """Return the sizes of some pictures spread evenly over ``paths``; None if none can be read."""
    step = max(1, len(paths) // SEEN)
    headers = [header for path in paths[::step] if (header := _header(path)) is not None]
    if not headers:
        return None
    sizes = {(header.height, header.width) for header in headers}
    colour = not all(header.grey for header in headers)
    height = median(header.height for header in headers)
    width = median(header.width for header in headers)
    if len(sizes) == 1 and max(height, width) <= LARGEST:
        return PictureSizes(int(height), int(width), colour, alike=True, seen=len(headers))
    scale = min(1.0, LARGEST / max(height, width))
    height, width = _whole(height * scale), _whole(width * scale)
    return PictureSizes(height, width, colour, alike=False, seen=len(headers))


def _header(path: Path) -> Header | None:
    try:
        return read_header(read_bytes(path), Limits())
    except BadImageError:
        return None


def _whole(side: float) -> int:
    """Return a side that pools evenly: a multiple of 8, at least 8."""
    return max(SMALLEST, 8 * round(side / 8))
