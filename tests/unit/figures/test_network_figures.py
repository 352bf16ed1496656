"""Architectures and tiles: what is drawn is what was given, and text stays text."""

import base64
import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gapwise.figures import palette
from gapwise.figures.activations import activations
from gapwise.figures.architecture import Block, architecture
from gapwise.figures.feature_maps import feature_maps
from gapwise.figures.filters import Filter, filters
from gapwise.figures.patches import Patch, patches
from gapwise.figures.tiles import Tile, greys, signed, tiles

DARK = np.zeros((4, 4), np.uint8)
ATTACK = "<img src=x onerror=alert(1)> %{x}"


def texts(figure: Any) -> list[str]:
    found = [text for trace in figure.data for text in (trace.text or ())]
    return [*found, *(text for trace in figure.data for text in (trace.hovertemplate or ()))]


def pixels(figure: Any, place: int = 0) -> np.ndarray[Any, Any]:
    source = figure.layout.images[place].source
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def heights(figure: Any, color: str) -> list[float]:
    (shape,) = [shape for shape in figure.layout.shapes if shape.fillcolor == color]
    fronts = re.findall(r"M ([^Z]+) Z", shape.path)[::3]
    ys = [[float(point.split(",")[1]) for point in front.split(" L ")] for front in fronts]
    return [max(y) - min(y) for y in ys]


def test_smaller_maps_are_lower_and_more_channels_wider() -> None:
    sizes = [(8, 32, 32), (8, 16, 16), (64, 8, 8)]
    blocks = [Block(kind="convolution", label="conv 3×3", shape=size) for size in sizes]
    figure = architecture(blocks)
    tall, middle, low = heights(figure, palette.TEAL)
    assert tall > middle > low
    assert any("16×16<br><b>8</b>" in text for text in texts(figure))


def test_a_shortcut_is_an_arc_and_repeats_are_counted() -> None:
    block = Block(kind="block", label="basic block", shape=(16, 8, 8), repeat=3, joins="add")
    figure = architecture([Block(kind="input", label="input", shape=(3, 8, 8)), block])
    arcs = [shape for shape in figure.layout.shapes if " C " in shape.path]
    assert len(arcs) == 1
    assert any("<b>×3</b>" in text for text in texts(figure))
    assert texts(figure).count("⊕") == 1
    plain = architecture([Block(kind="block", label="plain", shape=(16, 8, 8))])
    assert "⊕" not in texts(plain)


def test_side_branches_hang_below() -> None:
    block = Block(kind="block", label="module", shape=(16, 8, 8), sides=("side 1", "side 2"))
    figure = architecture([block])
    assert {"side 1", "side 2"} <= set(texts(figure))
    plain = architecture([Block(kind="dense", label="dense", shape=(2,))])
    assert figure.layout.height > plain.layout.height


def test_many_blocks_take_few_shapes() -> None:
    """Plotly needs seconds for hundreds of shapes: each colour is one path."""
    blocks = [
        Block(kind="block", label="b", shape=(8, 8, 8), repeat=4, joins="add") for _ in range(60)
    ]
    assert len(architecture(blocks).layout.shapes) < 10


@pytest.mark.parametrize(
    "figure",
    [
        architecture([Block(kind="other", label=ATTACK, shape=(3,), hover=[ATTACK],
                            sides=[ATTACK])]),
        tiles([Tile(picture=DARK, captions=[ATTACK], hover=[ATTACK])], columns=1),
        patches([Patch(picture=DARK, example_id=ATTACK, activation=1.0, rows=(0, 1),
                       columns=(0, 1))]),
        activations([1.0], [ATTACK]),
        filters([Filter(name=ATTACK, weights=np.ones((2, 2)))], columns=1),
    ],
    ids=["architecture", "tiles", "patches", "activations", "filters"],
)  # fmt: skip
def test_b1_text_from_data_cannot_become_markup(figure: Any) -> None:
    document = figure.to_json()
    assert "<img" not in document
    assert "\\u003cimg" not in document
    # Plotly fills in "%{…}" in templates, not in text.
    templates = [trace.hovertemplate for trace in figure.data if trace.hovertemplate]
    assert "%{x}" not in str(templates)


def test_a_tile_shows_the_picture_itself_enlarged() -> None:
    picture = np.arange(0, 192, 3, dtype=np.uint8).reshape(8, 8)
    shown = pixels(tiles([Tile(picture=picture)], columns=1))
    factor = len(shown) // 8
    assert shown.shape == (8 * factor, 8 * factor, 3)
    middle = shown[factor // 2 :: factor, factor // 2 :: factor]
    assert np.array_equal(middle, np.repeat(picture[..., None], 3, axis=2))


def test_a_window_frames_exactly_its_pixels() -> None:
    picture = np.zeros((8, 8), np.uint8)
    shown = pixels(tiles([Tile(picture=picture, window=((2, 3), (5, 7)))], columns=1))
    factor = len(shown) // 8
    amber = (shown == [0xDC, 0x8F, 0x2C]).all(axis=2)
    rows, columns = np.nonzero(amber)
    assert (rows.min() // factor, rows.max() // factor) == (2, 3)
    assert (columns.min() // factor, columns.max() // factor) == (5, 7)
    assert not amber[2 * factor + factor, 6 * factor]


def test_long_ids_keep_what_tells_them_apart() -> None:
    patch = Patch(
        picture=np.zeros((2, 2), np.uint8), example_id="fashion-mnist/train/13276",
        activation=-1.25, rows=(0, 1), columns=(0, 1),
    )  # fmt: skip
    told = texts(patches([patch]))
    assert "−1.25<br>13276" in told
    assert any("fashion-mnist/train/13276" in text for text in told)


def test_zero_is_white_among_signs_and_black_without() -> None:
    assert signed(np.array([0.0, 2.0, -2.0]), 2.0).tolist()[0] == [255, 255, 255]
    red, blue = signed(np.array([2.0, -2.0]), 2.0).tolist()
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    assert greys(np.array([0.0, 1.0, 2.0]), 2.0).tolist() == [0, 128, 255]
    assert signed(np.array([np.nan, 0.0]), 0.0).tolist() == [[255] * 3] * 2


def test_the_sign_of_a_whole_layer_decides_how_its_maps_look() -> None:
    maps = np.ones((1, 96, 96), np.float32)
    alone = pixels(feature_maps(maps, ["0"], lowest=0.0, most=1.0))
    among = pixels(feature_maps(maps, ["0"], lowest=-1.0, most=1.0))
    assert alone[48, 48].tolist() == [255, 255, 255]
    assert among[48, 48].tolist() == [0xC8, 0x41, 0x4B]


def test_filters_of_colour_are_drawn_in_colour_with_grey_at_zero() -> None:
    weights = np.zeros((3, 96, 96))
    weights[0, 40:60] = 1.0
    shown = pixels(filters([Filter(name="red", weights=weights)], columns=1))
    assert shown[50, 50].tolist() == [255, 128, 128]
    assert shown[10, 10].tolist() == [128, 128, 128]
