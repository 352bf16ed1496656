"""Sentences as words: each a number that its letters alone decide, so that no list is kept."""

import re
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from gapwise.records import Quarantined

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
MOST = 0x7FFFFFFF


def words_of(sentence: str) -> list[str]:
    """Return the words and signs of a sentence, in small letters."""
    return WORD.findall(sentence.lower())


@cache
def number_of(word: str) -> int:
    """Return the number of a word, 1 to 2³¹ − 1 (0 is padding)."""
    digest = blake2b(word.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % MOST + 1


def as_words(
    sentences: Sequence[str], names: Sequence[str], places: Sequence[str], limit: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], list[Quarantined]]:
    """Return the sentences as numbers of words, which of them were kept, and those set aside.

    The padding stands in front, so that a recurrent network ends at the last word.

    Args:
        sentences: n of them.
        names: the example's id of each.
        places: where each stands, for messages.
        limit: the most words that an example holds.

    Returns:
        (kept, 1, limit) int32; (kept,) positions; sentences that are empty or too long.
    """
    found, kept = [], []
    aside: list[Quarantined] = []
    for row, (sentence, name) in enumerate(zip(sentences, names, strict=True)):
        numbers = [number_of(word) for word in words_of(sentence)]
        if 0 < len(numbers) <= limit:
            found.append([0] * (limit - len(numbers)) + numbers)
            kept.append(row)
            continue
        long = len(numbers) > limit
        told = f"has {len(numbers)} words; raise data.dataset.words above {limit}, or shorten it"
        aside.append(
            Quarantined(
                item=name,
                code="sentence-long" if long else "sentence-empty",
                reason=told if long else "has no word; take it out",
                where=places[row],
            )
        )
    numbers_of = np.array(found, np.int32).reshape(len(found), 1, limit)
    return numbers_of, np.array(kept, np.int64), aside
