"""A convolutional network along one axis: sounds, sentences, any sequence (notes 5.5, 2.1)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Literal

from torch import nn

from gapwise.networks.activations import ActivationName, Nonlinearity, NormPlace
from gapwise.networks.base import Chain, Published, initialize, shares
from gapwise.networks.word_vectors import first_of_sequence

__all__ = ["TemporalCnn"]


class TemporalCnn(Chain):
    """Blocks of 1-D convolutions, batch norm, pooling and ReLU, then the largest over time.

    With words it is near the network of Kim (2014), whose filters look for phrases wherever they
    stand.

    Args:
        input_shape: (channels, length), or (1, length) of words.
        outputs: units of the last layer.
        words: numbers of a word's vector; 0 where the examples are sequences of numbers.
        vocabulary: rows of the table of word vectors.
        channels: filters of each block.
        kernel: steps that a filter sees.
        pool: steps that become one behind each block; 1 pools nothing.
        read: what is read off at the end: the ``largest`` value of each filter, or the ``mean``.
        hidden: units of a dense layer before the last; 0 leaves it out.
        activation: what follows each layer but the last (notes 2.3).
        batch_norm: normalise each block before or after its non-linearity (notes 3.15).
        dropout: share of units switched off while training (notes 3.4.2): one number for those
            before the last layer, or one for the words, one for each block, and then those.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="temporal-cnn",
            input_shape=(40, 98),
            outputs=10,
            notes="5.5",
            parameters=55_434,
            macs=3_262_720,
        ),
        Published(
            name="sentence-cnn",
            input_shape=(1, 64),
            outputs=2,
            options={"words": 100, "channels": (100,), "kernel": 3, "pool": 1},
            notes="2.1",
            parameters=1_668_802,
            macs=1_920_200,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        words: int = 0,
        vocabulary: int = 16384,
        channels: Sequence[int] = (64, 128),
        kernel: int = 5,
        pool: int = 2,
        read: Literal["largest", "mean"] = "largest",
        hidden: int = 0,
        activation: ActivationName = "relu",
        batch_norm: NormPlace = "before",
        dropout: float | Sequence[float] = 0.0,
    ) -> None:
        super().__init__()
        if not channels:
            raise ValueError("channels is empty; give the filters of at least one block")
        first, planes = first_of_sequence("temporal-cnn", input_shape, words, vocabulary)
        count = len(channels)
        follow = Nonlinearity(activation, 0.01, batch_norm)
        dropped, *between, last = shares(dropout, count=count + 2, last=1)
        self.append(**first)
        if dropped:
            self.append(first_dropout=nn.Dropout(dropped))
        for i, (units_in, units) in enumerate(pairwise((planes, *channels))):
            name = f"convolution{i + 1}"
            convolution = nn.Conv1d(units_in, units, kernel, padding=kernel // 2, bias=follow.bias)
            # What is left over at the end is pooled as well, so that any length will do.
            pooled = {f"pool{i + 1}": nn.MaxPool1d(pool, ceil_mode=True)} if pool > 1 else {}
            self.append(
                **{name: convolution},
                **follow.behind(name, nn.BatchNorm1d(units), pooled, between[i]),
            )
        reading = nn.AdaptiveMaxPool1d(1) if read == "largest" else nn.AdaptiveAvgPool1d(1)
        self.append(read=reading, flatten=nn.Flatten())
        units = channels[-1]
        if hidden:
            plain = Nonlinearity(activation, 0.01, "none")
            self.append(dense=nn.Linear(units, hidden), **plain.behind("dense", nn.Identity()))
        self.append(dropout=nn.Dropout(last), output=nn.Linear(hidden or units, outputs))
        initialize(self, follow.variance)
