"""What a dataset and a synthesizer are, and what they are given to read with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapwise.records import ExampleSet
from gapwise.registry import Family
from gapwise.settings import Settings

Dataset = Callable[..., ExampleSet]
"""``(context, *, options…) -> ExampleSet``: reads one dataset."""

Synthesizer = Callable[..., NDArray[np.uint8]]
"""``(images, keys, *, options…) -> images``: redraws pictures; a key alone seeds its picture."""

DATASETS: Family[Dataset] = Family("gapwise.datasets", "dataset")
SYNTHESIS: Family[Synthesizer] = Family("gapwise.synthesis", "synthesis")


@dataclass(frozen=True, kw_only=True)
class ReadContext:
    """What a dataset needs beside its options.

    Attributes:
        settings: where datasets are found and where the cache is.
        root: the folder that relative paths of a pipeline refer to.
        seed: seed of what a dataset draws by itself (``splits.seed``).
        max_quarantine: stop past this many bad examples: a share below 1, else a count; None for
            1 % or 100, whichever is more.
    """

    settings: Settings
    root: Path
    seed: int = 0
    max_quarantine: float | None = None
