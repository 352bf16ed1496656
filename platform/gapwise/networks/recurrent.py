"""A recurrent network, step by step along a sequence (notes 2.1)."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from gapwise.networks.base import Chain, Published, initialize, shares
from gapwise.networks.word_vectors import first_of_sequence

__all__ = ["Recurrent"]

Cell = Literal["gru", "lstm"]
_CELLS: dict[Cell, type[nn.GRU] | type[nn.LSTM]] = {"gru": nn.GRU, "lstm": nn.LSTM}


class Recurrent(Chain):
    """Layers of gated cells, whose last state (or largest, or mean) a dense layer reads.

    Gates are those of Cho et al. (2014), ``gru``, or of Hochreiter and Schmidhuber (1997),
    ``lstm``.

    Args:
        input_shape: (channels, length), or (1, length) of words.
        outputs: units of the last layer.
        words: numbers of a word's vector; 0 where the examples are sequences of numbers.
        vocabulary: rows of the table of word vectors.
        cell: ``gru`` or ``lstm``.
        units: of each layer, in each direction.
        both_ways: a second set of cells goes from the end to the beginning.
        read: what is read off: the ``last`` state of each direction, the ``largest`` or the
            ``mean`` of all states.
        dropout: share of units switched off while training (notes 3.4.2): one number for those
            before the last layer, or one for the inputs, one for each layer's states, and then
            those.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="recurrent",
            input_shape=(40, 98),
            outputs=10,
            notes="2.1",
            parameters=66_570,
            macs=6_323_456,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        words: int = 0,
        vocabulary: int = 16384,
        cell: Cell = "gru",
        units: Sequence[int] = (128,),
        both_ways: bool = False,
        read: Literal["last", "largest", "mean"] = "last",
        dropout: float | Sequence[float] = 0.0,
    ) -> None:
        super().__init__()
        if not units:
            raise ValueError("units is empty; give the units of at least one layer")
        first, width = first_of_sequence("recurrent", input_shape, words, vocabulary)
        dropped, *between, last = shares(dropout, count=len(units) + 2, last=1)
        self.append(**first)
        if dropped:
            self.append(first_dropout=nn.Dropout(dropped))
        for i, size in enumerate(units):
            self.append(**{f"{cell}{i + 1}": Steps(cell, width, size, both_ways=both_ways)})
            if between[i]:
                self.append(**{f"{cell}{i + 1}_dropout": nn.Dropout(between[i])})
            width = size * (2 if both_ways else 1)
        self.append(
            read=Read(read, both_ways=both_ways),
            dropout=nn.Dropout(last),
            output=nn.Linear(width, outputs),
        )
        initialize(self)


class Steps(nn.Module):
    """One layer of cells: (n, channels, length) → the states (n, units, length).

    Args:
        cell: ``gru`` or ``lstm``.
        channels: numbers of each step.
        units: of the layer, in each direction.
        both_ways: whether there is a second direction; its states stand behind the first's.
    """

    def __init__(self, cell: Cell, channels: int, units: int, *, both_ways: bool) -> None:
        super().__init__()
        self.cell = _CELLS[cell](channels, units, batch_first=True, bidirectional=both_ways)

    def forward(self, x: Tensor) -> Tensor:
        """Return the states at every step of x: (n, channels, length)."""
        states: Tensor = self.cell(x.transpose(1, 2))[0]
        return states.transpose(1, 2)


class Read(nn.Module):
    """One vector for a sequence of states: (n, units, length) → (n, units)."""

    def __init__(self, what: Literal["last", "largest", "mean"], *, both_ways: bool) -> None:
        super().__init__()
        self.what, self.both_ways = what, both_ways

    def forward(self, x: Tensor) -> Tensor:
        """Return the last (each direction's own), largest or mean state of x."""
        if self.what == "largest":
            return x.amax(2)
        if self.what == "mean":
            return x.mean(2)
        if not self.both_ways:
            return x[..., -1]
        forth, back = x.chunk(2, dim=1)
        return torch.cat([forth[..., -1], back[..., 0]], 1)
