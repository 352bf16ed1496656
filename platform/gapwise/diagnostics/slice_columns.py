"""Columns as codes: how examples can be cut into parts, whatever the column holds."""

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_VALUES = 50
BINS = 8

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Coded:
    """A column as codes: position in ``names``, −1 for values that are too rare to search."""

    names: tuple[str, ...]
    codes: NDArray[np.int32]


def coded(values: NDArray[np.generic]) -> Coded | None:
    """Return a column as codes; numbers are cut into eighths. None for one that tells nothing.

    A column of a single value, or of about as many values as examples (ids), tells nothing.
    """
    values = np.asarray(values)
    if (
        values.dtype.kind in "iuf"
        and len(pd.unique(values[~np.isnan(values.astype(float))])) > BINS
    ):
        return _binned(values.astype(np.float64))
    text = values.astype(str)
    codes, keys = pd.factorize(hashed(text))
    if len(keys) < 2 or len(keys) > max(MOST_VALUES, len(text) // 2):
        return None
    first = np.full(len(keys), len(text))
    np.minimum.at(first, codes, np.arange(len(text)))
    order = np.argsort(text[first], kind="stable")
    names, codes = text[first][order], np.argsort(order)[codes]
    counts = np.bincount(codes, minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
    place = np.full(len(names), -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    return Coded(names=tuple(str(names[i]) for i in kept), codes=place[codes])


def hashed(text: NDArray[np.str_]) -> NDArray[np.uint64]:
    """Return (n,) a 64-bit hash of each text (FNV-1a over its characters), whatever its width."""
    width = max(1, text.dtype.itemsize // 4)
    letters = np.ascontiguousarray(text).view(np.uint32).reshape(len(text), width)
    hashed = np.full(len(text), 0xCBF29CE484222325, np.uint64)
    for place in range(width):
        letter = letters[:, place].astype(np.uint64)
        if not letter.any():  # texts are padded at their ends: nothing follows
            break
        mixed = (hashed ^ letter) * np.uint64(0x100000001B3)
        hashed = np.where(letter > 0, mixed, hashed)  # what is shorter is padded with 0
    return hashed


def _binned(values: Numbers) -> Coded | None:
    known = np.isfinite(values)
    if not known.any():
        return None
    cuts = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS + 1)[1:-1]))
    codes = np.where(known, np.searchsorted(cuts, values, side="left"), -1).astype(np.int32)
    ends = [f"{cut:.3g}" for cut in cuts]
    names = [f"up to {ends[0]}"]
    names += [f"{low} to {high}" for low, high in itertools.pairwise(ends)]
    return Coded(names=(*names, f"over {ends[-1]}"), codes=codes)
