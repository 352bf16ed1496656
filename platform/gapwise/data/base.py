"""What a dataset and a synthesizer are, and what they are given to read with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from gapwise.errors import PipelineError
from gapwise.inputs import TOLD, Kind, kind_of
from gapwise.records import ExampleSet
from gapwise.registry import Family
from gapwise.settings import Settings

Dataset = Callable[..., ExampleSet]
"""``(context, *, options…) -> ExampleSet``: reads one dataset."""

Synthesizer = Callable[..., "Copies"]
"""``(originals, *, options…) -> copies``: a key alone seeds the copy of its original."""

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


@dataclass(frozen=True, kw_only=True)
class Originals:
    """Examples that a synthesizer makes copies of, n of them.

    Attributes:
        inputs: (n, …) as ``records.ExampleSet`` tells.
        keys: one an example; they alone seed what is drawn.
        files: the file of each, where the dataset's examples are files; else ().
        root: the folder that relative paths of a pipeline refer to.
    """

    inputs: NDArray[Any]
    keys: Sequence[str]
    files: Sequence[Path] = field(default=())
    root: Path = Path()

    def check(self, kind: Kind, name: str) -> None:
        """Refuse examples of another kind than the synthesizer ``name`` is for.

        Raises:
            PipelineError: they are of another kind.
        """
        found = kind_of(self.inputs.shape[1:], self.inputs.dtype)
        if found != kind:
            raise PipelineError(
                f"data.synthesize: {name} is for {TOLD[kind]}, but the dataset holds "
                f"{TOLD[found]}; take data.synthesize out"
            )


class Copies(NamedTuple):
    """What a synthesizer makes of ``Originals``.

    Attributes:
        inputs: of the shape and type of the originals'.
        added: the recipe of what each copy has beside its original (``gapwise.ingredients``), ""
            where that is nothing that can be named.
    """

    inputs: NDArray[Any]
    added: Sequence[str] = ()
