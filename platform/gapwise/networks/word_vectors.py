"""Words as vectors, and what networks on sequences share."""

from math import sqrt

import torch
from torch import Tensor, nn

from gapwise.errors import PipelineError

_SPREAD = 0x9E3779B1
"""An odd number near 2³²/φ: multiplied by it, numbers that differ differ in their high bits."""


class WordVectors(nn.Module):
    """A vector for each word: (n, 1, length) numbers of words → (n, size, length).

    A vector is the sum of two rows of one table, chosen by two hashes of the word's number
    (Svenstrup, Hansen and Winther, 2017): any word has one, no list of words is kept, and two words
    that share one row still differ in the other. Padding, 0, is the vector of zeros.

    Args:
        size: numbers of a vector.
        rows: of the table.
    """

    def __init__(self, size: int, rows: int) -> None:
        super().__init__()
        if rows < 2:
            raise ValueError(f"vocabulary is {rows}, but the table has at least 2 rows")
        self.rows = rows
        self.table = nn.Embedding(rows, size)
        nn.init.normal_(self.table.weight, 0.0, 1 / sqrt(2 * size))

    def forward(self, x: Tensor) -> Tensor:
        """Return the vectors of x: (n, 1, length)."""
        words = x.squeeze(1).long()
        first = words % self.rows
        second = ((words * _SPREAD) >> 15) % self.rows
        made = self.table(first) + self.table(second)
        vectors: Tensor = torch.where(words.unsqueeze(2) == 0, 0, made).transpose(1, 2)
        return vectors


def takes_words(network: nn.Module) -> bool:
    """Return whether a network looks words up."""
    return any(isinstance(module, WordVectors) for module in network.modules())


def first_of_sequence(
    network: str, input_shape: tuple[int, ...], words: int, vocabulary: int
) -> tuple[dict[str, nn.Module], int]:
    """Return what stands before a network on sequences, by name, and the channels behind it.

    Raises:
        PipelineError: the examples are no sequences (channels, length), or no sentences (1, words).
    """
    if len(input_shape) != 2:
        raise PipelineError(
            f"network {network} wants sequences (channels, length), but an example has shape "
            f"{input_shape}; use network multilayer-perceptron"
        )
    channels, _ = input_shape
    if not words:
        return {}, channels
    if channels != 1:
        raise PipelineError(
            f"network {network}: network.words is {words}, but the examples are sequences of "
            f"{channels} channels, which are no words; take network.words out"
        )
    return {"words": WordVectors(words, vocabulary)}, words
