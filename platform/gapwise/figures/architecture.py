"""A network as textbooks draw it: a block a layer, as high as its maps and as wide as their number.

Dense layers are bars as high as their units. Repeated blocks are one with a count, shortcuts are
arcs, side branches hang below.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2, sqrt
from typing import Final, Literal

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["architecture"]

Kind = Literal["input", "convolution", "block", "pool", "dense", "other"]
Join = Literal["", "add", "concatenate"]

COLORS: Final = {
    "input": palette.STEEL,
    "convolution": palette.TEAL,
    "block": palette.PINE,
    "pool": palette.SAND,
    "dense": palette.PLUM,
    "other": palette.FAINT,
}
HEIGHT: Final = 150.0
GAP: Final = 34.0
LEAST: Final = 54.0
SLANT: Final = 0.42
TEXT: Final = 11.5


@dataclass(frozen=True, kw_only=True)
class Block:
    """One layer, or several equal ones in a row.

    Attributes:
        kind: decides the colour.
        label: what it is ("conv 5×5").
        shape: of its output without the batch: (channels, height, width), or (units,).
        repeat: how many of them stand in a row.
        joins: what comes together at its end: "add" a shortcut, "concatenate" branches, "" nothing.
        sides: names of side branches that leave from its end (notes 5.13).
        hover: further lines for a pointer.
    """

    kind: Kind
    label: str
    shape: tuple[int, ...]
    repeat: int = 1
    joins: Join = ""
    sides: Sequence[str] = ()
    hover: Sequence[str] = ()


def architecture(blocks: Sequence[Block]) -> go.Figure:
    """Draw a network from left to right, the input first.

    Heights grow with the square root of a map's height, widths with the logarithm of the channels,
    so that 7×7 maps and 2,048 channels stay on the page.
    """
    tallest = max([1, *(block.shape[1] for block in blocks if len(block.shape) == 3)])
    boxes = _placed(blocks, tallest)
    deep = any(block.sides for block in blocks)
    drawn = style.figure([], height=372 if deep else 318, left=4, right=4)
    end = boxes[-1].right + 22 if boxes else 1.0
    _flow(drawn, boxes)
    for box in boxes:
        _box(drawn, box)
        _words(drawn, box)
        if box.block.joins == "add":
            _arc(drawn, box)
        for place, name in enumerate(box.block.sides):
            _side(drawn, box, name, place)
    drawn.add_scatter(
        x=[box.middle for box in boxes],
        y=[0.0 for _ in boxes],
        mode="markers",
        marker={"size": 30, "opacity": 0, "symbol": "square"},
        hovertemplate=[_hover(box.block) for box in boxes],
    )
    drawn.update_xaxes(visible=False, range=[-6, end])
    drawn.update_yaxes(visible=False, range=[-188 if deep else -134, 148])
    drawn.update_layout(margin={"t": 4, "b": 4})
    return drawn


def example() -> go.Figure:
    """Draw a small residual network with a side branch (made-up)."""
    return architecture(
        [
            Block(kind="input", label="input", shape=(3, 32, 32)),
            Block(kind="convolution", label="conv 3×3", shape=(16, 32, 32), repeat=2),
            Block(kind="block", label="residual", shape=(32, 16, 16), repeat=3, joins="add",
                  sides=["side 1"]),
            Block(kind="pool", label="mean", shape=(32, 1, 1)),
            Block(kind="dense", label="dense", shape=(10,), hover=["330 parameters"]),
        ]
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Box:
    block: Block
    left: float
    front: float
    height: float
    slant: float

    @property
    def right(self) -> float:
        return self.left + self.front + self.slant

    @property
    def middle(self) -> float:
        return self.left + (self.front + self.slant) / 2


def _placed(blocks: Sequence[Block], tallest: int) -> list[_Box]:
    boxes: list[_Box] = []
    at = 0.0
    for block in blocks:
        front, height, slant = _size(block, tallest)
        room = max(LEAST, front + slant)
        box = _Box(
            block=block,
            left=at + (room - front - slant) / 2,
            front=front,
            height=height,
            slant=slant,
        )
        boxes.append(box)
        at += room + GAP
    return boxes


def _size(block: Block, tallest: int) -> tuple[float, float, float]:
    """Return width of the front, height, and how far the depth leads to the right."""
    if len(block.shape) == 3:
        channels, rows, columns = block.shape
        height = max(6.0, HEIGHT * sqrt(rows / tallest))
        slant = SLANT * max(6.0, HEIGHT * sqrt(columns / tallest)) * 0.5
        return 4.0 + 4.6 * log2(1 + channels), height, slant
    units = block.shape[0] if block.shape else 1
    return 9.0, min(HEIGHT, 14.0 + 11.0 * log2(1 + units)), 3.0


def _box(drawn: go.Figure, box: _Box) -> None:
    color = COLORS[box.block.kind]
    x0, x1, half, up = box.left, box.left + box.front, box.height / 2, box.slant * 0.62
    low, high = -half, half - up
    front = [(x0, low), (x1, low), (x1, high), (x0, high)]
    top = [(x0, high), (x1, high), (x1 + box.slant, high + up), (x0 + box.slant, high + up)]
    side = [(x1, low), (x1 + box.slant, low + up), (x1 + box.slant, high + up), (x1, high)]
    for corners, veil in ((front, ""), (top, _LIGHT), (side, _DARK)):
        _polygon(drawn, corners, color)
        if veil:
            _polygon(drawn, corners, veil)
    for place in range(1, min(box.block.repeat, 6)):
        x = x0 + box.front * place / min(box.block.repeat, 6)
        _line(drawn, [(x, low), (x, high)], "rgba(255,255,255,0.75)", 1)


_LIGHT: Final = "rgba(255,255,255,0.42)"
_DARK: Final = "rgba(23,32,43,0.16)"


def _polygon(drawn: go.Figure, corners: Sequence[tuple[float, float]], fill: str) -> None:
    path = "M " + " L ".join(f"{x:.1f},{y:.1f}" for x, y in corners) + " Z"
    line = {"color": palette.CARD, "width": 0.8}
    drawn.add_shape(type="path", path=path, fillcolor=fill, line=line)


def _line(
    drawn: go.Figure, points: Sequence[tuple[float, float]], color: str, width: float
) -> None:
    path = "M " + " L ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    drawn.add_shape(type="path", path=path, line={"color": color, "width": width})


def _flow(drawn: go.Figure, boxes: Sequence[_Box]) -> None:
    """The line that runs through the blocks."""
    for one, two in pairwise(boxes):
        start, end = one.right + 3, two.left - 3
        _line(drawn, [(start, 0), (end, 0)], palette.FAINT, 1.4)
        _line(drawn, [(end - 4, 3.4), (end, 0), (end - 4, -3.4)], palette.FAINT, 1.4)


def _words(drawn: go.Figure, box: _Box) -> None:
    block = box.block
    times = f"<b>×{block.repeat}</b> " if block.repeat > 1 else ""
    label = words.plotly_text(words.short(block.label, 22)).replace(" ", "<br>", 1)
    common = {"x": box.middle, "font_size": TEXT}
    style.note(drawn, times + label, y=-86, yanchor="top", **common)
    style.note(drawn, _shape(block.shape), y=86, yanchor="bottom", font_color=palette.MUTED,
               **common)  # fmt: skip


def _shape(shape: tuple[int, ...]) -> str:
    if len(shape) == 3:
        return f"{shape[1]}×{shape[2]}<br><b>{shape[0]:,}</b>"
    return "<br>" + "×".join(f"<b>{size:,}</b>" for size in shape)


def _arc(drawn: go.Figure, box: _Box) -> None:
    """The shortcut: over the block, from before it to the sum after it."""
    x0, x1, top = box.left - 13, box.right + 13, max(30.0, box.height / 2 + 16)
    path = f"M {x0:.1f},0 C {x0:.1f},{top:.1f} {x1:.1f},{top:.1f} {x1:.1f},5"
    drawn.add_shape(type="path", path=path, line={"color": palette.PINE, "width": 1.6})
    style.note(drawn, "⊕", x=x1, y=0, font_color=palette.PINE, font_size=14, bgcolor=palette.CARD,
               borderpad=0)  # fmt: skip


def _side(drawn: go.Figure, box: _Box, name: str, place: int) -> None:
    x, foot = box.right + 8, -140 - 22 * place
    _line(drawn, [(x, 0), (x, foot)], palette.PLUM, 1.3)
    style.note(drawn, words.plotly_text(name), x=x, y=foot, yanchor="top", font_color=palette.PLUM,
               font_size=TEXT)  # fmt: skip


def _hover(block: Block) -> str:
    times = f" ×{block.repeat}" if block.repeat > 1 else ""
    size = "×".join(f"{n:,}" for n in block.shape)
    lines = [f"<b>{words.plotly_text(block.label)}{times}</b>", f"gives {size}"]
    lines += [words.plotly_text(line) for line in block.hover]
    return "<br>".join(lines).replace("%{", "% {") + "<extra></extra>"
