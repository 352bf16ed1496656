"""A network as textbooks draw it: a block a layer, as high as its maps and as wide as their number.

Dense layers are bars as high as their units. Repeated blocks are one with a count, shortcuts are
arcs, side branches hang below.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2, sqrt
from typing import Any, Final, Literal

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
NARROWEST: Final = 620.0
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
    drawn = style.figure([], height=350 if deep else 300, left=4, right=4)
    drawn.update_layout(shapes=_shapes(boxes), margin={"t": 4, "b": 4})
    for text in _texts(boxes):
        drawn.add_trace(text)
    drawn.add_scatter(
        x=[box.middle for box in boxes],
        y=[0.0 for _ in boxes],
        mode="markers",
        marker={"size": 30, "opacity": 0, "symbol": "square"},
        hovertemplate=[_hover(box.block) for box in boxes],
    )
    end = boxes[-1].right + 22 if boxes else 1.0
    spare = max(0.0, NARROWEST - end) / 2
    drawn.update_xaxes(visible=False, range=[-16 - spare, end + spare])
    drawn.update_yaxes(visible=False, range=[-182 if deep else -130, 138])
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


Points = Sequence[tuple[float, float]]

_LIGHT: Final = "rgba(255,255,255,0.42)"
_DARK: Final = "rgba(23,32,43,0.16)"
_SEAM: Final = "rgba(255,255,255,0.75)"


def _shapes(boxes: Sequence[_Box]) -> list[dict[str, Any]]:
    """Return all that is no text: one path a colour, since plotly takes long over many shapes."""
    faces: dict[str, list[str]] = {}
    lines: dict[tuple[str, float], list[str]] = {}
    for box in boxes:
        front, top, side = _faces(box)
        faces.setdefault(COLORS[box.block.kind], []).extend(
            _path(f, "Z") for f in (front, top, side)
        )
        faces.setdefault(_LIGHT, []).append(_path(top, "Z"))
        faces.setdefault(_DARK, []).append(_path(side, "Z"))
        lines.setdefault((_SEAM, 1.0), []).extend(_seams(box))
        if box.block.joins == "add":
            lines.setdefault((palette.PINE, 1.6), []).append(_arc(box))
        for place in range(len(box.block.sides)):
            x, foot = _side_foot(box, place)
            lines.setdefault((palette.PLUM, 1.3), []).append(_path([(x, 0), (x, foot)]))
    for one, two in pairwise(boxes):
        lines.setdefault((palette.FAINT, 1.4), []).extend(_arrow(one.right + 3, two.left - 3))
    edge = {"color": palette.CARD, "width": 0.8}
    veils = (_LIGHT, _DARK)
    order = [*(fill for fill in faces if fill not in veils), *veils] if faces else []
    return [
        *(
            {"type": "path", "path": " ".join(faces[f]), "fillcolor": f, "line": edge}
            for f in order
        ),
        *(
            {"type": "path", "path": " ".join(paths), "line": {"color": color, "width": width}}
            for (color, width), paths in lines.items()
            if paths
        ),
    ]


def _faces(box: _Box) -> tuple[Points, Points, Points]:
    """Return the corners of front, top and right side."""
    x0, x1, half, up = box.left, box.left + box.front, box.height / 2, box.slant * 0.62
    low, high = -half, half - up
    return (
        [(x0, low), (x1, low), (x1, high), (x0, high)],
        [(x0, high), (x1, high), (x1 + box.slant, high + up), (x0 + box.slant, high + up)],
        [(x1, low), (x1 + box.slant, low + up), (x1 + box.slant, high + up), (x1, high)],
    )


def _seams(box: _Box) -> list[str]:
    """The lines on the front of a block that stands for several."""
    parts = min(box.block.repeat, 6)
    low, high = -box.height / 2, box.height / 2 - box.slant * 0.62
    across = (box.left + box.front * place / parts for place in range(1, parts))
    return [_path([(x, low), (x, high)]) for x in across]


def _arrow(start: float, end: float) -> list[str]:
    return [_path([(start, 0), (end, 0)]), _path([(end - 4, 3.4), (end, 0), (end - 4, -3.4)])]


def _arc(box: _Box) -> str:
    """The shortcut: over the block, from before it to the sum after it."""
    (x0, x1), top = _arc_ends(box), max(30.0, box.height / 2 + 16)
    return f"M {x0:.1f},0 C {x0:.1f},{top:.1f} {x1:.1f},{top:.1f} {x1:.1f},5"


def _arc_ends(box: _Box) -> tuple[float, float]:
    return box.left - 13, box.right + 13


def _side_foot(box: _Box, place: int) -> tuple[float, float]:
    return box.right + 8, -140 - 22 * place


def _path(points: Points, end: str = "") -> str:
    return "M " + " L ".join(f"{x:.1f},{y:.1f}" for x, y in points) + f" {end}"


def _texts(boxes: Sequence[_Box]) -> list[go.Scatter]:
    """Return sizes above, names below, sums at the ends of shortcuts, names of side branches."""
    middles = [box.middle for box in boxes]
    sums = [_arc_ends(box)[1] for box in boxes if box.block.joins == "add"]
    feet = [
        (*_side_foot(box, place), words.plotly_text(name))
        for box in boxes
        for place, name in enumerate(box.block.sides)
    ]
    # A letter's worth of ground behind each sum cuts the line that runs through.
    ground = {"size": 13, "color": palette.CARD, "opacity": 1, "line_width": 0}
    return [
        _text(middles, [88.0] * len(boxes), [_shape(b.block.shape) for b in boxes], "top center",
              palette.MUTED),
        _text(middles, [-84.0] * len(boxes), [_name(b.block) for b in boxes], "bottom center",
              palette.INK),
        go.Scatter(x=sums, y=[0.0] * len(sums), mode="markers+text", text=["⊕"] * len(sums),
                   marker=ground, textfont={"size": 15, "color": palette.PINE}, hoverinfo="skip"),
        _text([x for x, _, _ in feet], [y for _, y, _ in feet], [t for _, _, t in feet],
              "bottom center", palette.PLUM),
    ]  # fmt: skip


def _text(
    x: Sequence[float], y: Sequence[float], text: Sequence[str], place: str, color: str
) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, text=text, mode="text", textposition=place, hoverinfo="skip", cliponaxis=False,
        textfont={"size": TEXT, "color": color},
    )  # fmt: skip


def _name(block: Block) -> str:
    label = words.plotly_text(words.short(block.label, 22)).replace(" ", "<br>")
    return f"{label}<br><b>×{block.repeat}</b>" if block.repeat > 1 else label


def _shape(shape: tuple[int, ...]) -> str:
    if len(shape) == 3:
        return f"{shape[1]}×{shape[2]}<br><b>{shape[0]:,}</b>"
    return "<br>" + "×".join(f"<b>{size:,}</b>" for size in shape)


def _hover(block: Block) -> str:
    times = f" ×{block.repeat}" if block.repeat > 1 else ""
    size = "×".join(f"{n:,}" for n in block.shape)
    lines = [f"<b>{words.plotly_text(block.label)}{times}</b>", f"gives {size}"]
    lines += [words.plotly_text(line) for line in block.hover]
    return "<br>".join(lines).replace("%{", "% {") + "<extra></extra>"
