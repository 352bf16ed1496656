"""Scenes of scikit-learn's real handwritten digits on scikit-image's photographs of textures.

Digits are enlarged 2 to 4 times and laid over a piece of brick, grass or gravel. Every digit is of
one pool, a scene takes its digits from one pool, and pools never straddle splits: so no digit of
train stands in a scene of dev. Each scene's ingredients stand beside it in metadata (notes 4.15).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapwise.data.arrays import numbered
from gapwise.data.base import ReadContext
from gapwise.data.framing import framed
from gapwise.data.grounds import bundled, piece
from gapwise.data.keyed import seed_of, uniform
from gapwise.errors import DataError
from gapwise.forms.boxes import padded
from gapwise.ingredients import COLUMN, recipe
from gapwise.labels import Labels, one_class
from gapwise.records import ExampleSet

__all__ = ["digit_scenes"]

DIGITS: Final = tuple(str(digit) for digit in range(10))
CORNERS: Final = ("top left", "top right", "bottom right", "bottom left")
POOLS: Final = 150
LEAST_INK: Final = 64
"""Of 255: what is darker in an enlarged digit is no part of its box or mask."""

TRIES: Final = 40
SIDE: Final = 8
CROP: Final = 24
"""Pixels along a side of a crop."""

BILINEAR: Final = Image.Resampling.BILINEAR
ENLARGED: Final = (2.0, 4.0)
NOTE = (
    "Pieces of the same three photographs lie behind the scenes of all splits, so the error on "
    "backgrounds that were never seen is not measured."
)

Marks = Literal["boxes", "one-box", "mask", "corners", "digit", "crop"]


class Pasted(NamedTuple):
    """A digit in a scene: which, its ink where it lies, and its box."""

    code: int
    digit: int
    ink: NDArray[np.float64]
    box: tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What scenes are made from: digits (n, 8, 8) in [0, 1], their classes, pools and textures."""

    digits: NDArray[np.float64]
    codes: NDArray[np.int64]
    pools: NDArray[np.int64]
    textures: Mapping[str, NDArray[np.float64]]


def digit_scenes(
    context: ReadContext,
    *,
    marks: Marks = "boxes",
    count: int = 1500,
    side: int = 64,
    least: int = 0,
    most: int = 4,
) -> ExampleSet:
    """Compose scenes: inputs (count, 1, side, side) uint8, or crops of 24×24.

    Args:
        context: its seed decides every scene.
        marks: what is marked: ``boxes`` around digits (notes 6.3); ``one-box``, where at most one
            digit stands (6.1); ``mask``, each pixel's digit or background (6.11); ``corners``, the
            four corners of the one digit's box (6.2); ``digit``, the class of the one digit, read
            from the whole scene; ``crop``, the same from the box cut out of it (4.18). The last two
            are the scenes of ``one-box`` with at least one digit.
        count: scenes.
        side: of each, in pixels.
        least: digits in a scene, at least.
        most: digits in a scene, at most.

    Raises:
        DataError: the numbers ask for scenes that there are not.
    """
    if marks in ("one-box", "corners", "digit", "crop"):
        least, most = min(least, 1) if marks == "one-box" else 1, 1
    _check(count, side, least, most)
    drawn_as = "one-box" if marks in ("digit", "crop") else marks
    sources = _sources(context.seed)
    images = np.empty((count, 1, side, side), np.uint8)
    pasted: list[list[Pasted]] = []
    facts: dict[str, list[str]] = {"background": [], COLUMN: []}
    pools = np.arange(count) % POOLS
    for row in range(count):
        draw = np.random.default_rng(seed_of("scene", context.seed, drawn_as, row))
        texture = list(sources.textures)[int(draw.integers(len(sources.textures)))]
        digits = _pasted(draw, sources, int(pools[row]), side, int(draw.integers(least, most + 1)))
        images[row, 0] = _drawn(draw, sources.textures[texture], digits, side)
        pasted.append(digits)
        facts["background"].append(texture)
        laid = [("digit", f"{one.digit:04d}") for one in digits]
        facts[COLUMN].append(recipe([("texture", texture), *laid]))
    labels, targets = _marked(marks, pasted, side)
    if marks == "crop":
        boxes = [digits[0].box for digits in pasted]
        images = np.stack([framed(*one, CROP) for one in zip(images, boxes, strict=True)])
    return ExampleSet(
        name=f"digit-scenes-{marks}",
        inputs=images,
        targets=targets,
        classes=labels.only,
        labels=labels,
        ids=numbered("scene", count),
        sources=np.full(count, "scene"),
        groups=np.array([f"pool {pool}" for pool in pools]),
        metadata={
            "digits": np.array([len(digits) for digits in pasted]),
            **{name: np.array(values) for name, values in facts.items()},
        },
        notes=(NOTE,),
    )


def _check(count: int, side: int, least: int, most: int) -> None:
    largest = int(SIDE * ENLARGED[1])
    if count < POOLS or side < largest or not 0 <= least <= most:
        raise DataError(
            f"data.dataset: digit-scenes: count is {count}, side {side}, least {least} and most "
            f"{most}; give at least {POOLS} scenes of {largest} pixels, and least up to most digits"
        )


def _sources(seed: int) -> Sources:
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    bundle = load_digits()
    names = [f"digits/{index:04d}" for index in range(len(bundle.target))]
    order = np.argsort(uniform(seed, "pool", names), kind="stable")
    pools = np.empty(len(names), np.int64)
    pools[order] = np.arange(len(names)) % POOLS
    return Sources(
        digits=bundle.images / 16.0,
        codes=bundle.target.astype(np.int64),
        pools=pools,
        textures=bundled(),
    )


def _pasted(
    draw: np.random.Generator, sources: Sources, pool: int, side: int, count: int
) -> list[Pasted]:
    """Choose digits of a pool, and places where their boxes do not touch one another."""
    members = draw.permutation(np.flatnonzero(sources.pools == pool))
    taken: list[Pasted] = []
    for digit in members[:count]:
        for _ in range(TRIES):
            ink = _enlarged(sources.digits[digit], draw.uniform(*ENLARGED))
            top = int(draw.integers(side - ink.shape[0] + 1))
            left = int(draw.integers(side - ink.shape[1] + 1))
            rows, columns = (np.flatnonzero((ink > LEAST_INK / 255).any(axis)) for axis in (1, 0))
            box = (left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1)
            if all(_apart(box, other.box) for other in taken):
                laid = np.zeros((side, side))
                laid[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
                taken.append(Pasted(int(sources.codes[digit]), int(digit), laid, box))
                break
    return taken


def _apart(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    beside = first[2] <= second[0] or second[2] <= first[0]
    return beside or first[3] <= second[1] or second[3] <= first[1]


def _enlarged(digit: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    side = round(SIDE * scale)
    large = Image.fromarray(digit.astype(np.float32)).resize((side, side), BILINEAR)
    return np.asarray(large, np.float64)


def _drawn(
    draw: np.random.Generator, texture: NDArray[np.float64], digits: list[Pasted], side: int
) -> NDArray[np.uint8]:
    """Return a piece of a texture, made dimmer, with bright digits laid over it."""
    scene = 0.6 * piece(draw, texture, side, side)
    for one in digits:
        brightness = draw.uniform(0.75, 1.0)
        scene = scene * (1 - one.ink) + brightness * one.ink
    noisy = scene + draw.normal(0, 0.02, scene.shape)
    return np.asarray(np.rint(noisy.clip(0, 1) * 255), np.uint8)


def _marked(marks: Marks, pasted: list[list[Pasted]], side: int) -> tuple[Labels, NDArray[Any]]:
    extent = (side, side)
    if marks in ("digit", "crop"):
        return one_class(DIGITS), np.array([digits[0].code for digits in pasted], np.int64)
    if marks == "mask":
        masks = np.zeros((len(pasted), side, side), np.uint8)
        for mask, digits in zip(masks, pasted, strict=True):
            for one in digits:
                mask[one.ink > LEAST_INK / 255] = one.code + 1
        classes = ("background", *DIGITS)
        return Labels(kind="mask", names=("digit",), classes=(classes,), extent=extent), masks
    boxes = [np.array([(one.code, *one.box) for one in d], np.float32) for d in pasted]
    if marks == "corners":
        x0, y0, x1, y1 = np.stack([rows[0, 1:] for rows in boxes]).T
        points = np.stack([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]).transpose(2, 0, 1)
        return Labels(kind="points", names=CORNERS, extent=extent), np.ascontiguousarray(points)
    targets = padded([rows.reshape(-1, 5) for rows in boxes])
    return Labels(kind="boxes", names=("digit",), classes=(DIGITS,), extent=extent), targets
