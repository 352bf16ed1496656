"""A run's encodings on a plane: t-SNE of a split's pictures (van der Maaten and Hinton, 2008)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError
from gapwise.settings import Settings
from gapwise.workflows.trained_run import outputs_of
from gapwise.workflows.verification import open_verifier

MOST = 800
"""Pictures on a map, at most."""

LEAST = 10
PERPLEXITY = 12.0


@dataclass(frozen=True, kw_only=True)
class EncodingMap:
    """Places (n, 2), with each picture's person, id, and whether its nearest is its own person."""

    places: NDArray[np.float32]
    people: tuple[str, ...]
    ids: tuple[str, ...]
    right: tuple[bool, ...]


def encoding_map(run_ref: str, split: str, settings: Settings | None = None) -> EncodingMap:
    """Lay a split's pictures out so that those alike to the network are near one another.

    Raises:
        UsageError: the run does not verify.
        DataError: the split holds too few pictures.
    """
    # scikit-learn takes half a second to import; other pages do not need it.
    from sklearn.manifold import TSNE  # type: ignore[import-untyped]

    trained, task = open_verifier(run_ref, settings or Settings.read())
    data = trained.prepared()
    rows = data.indices(split)
    rows = rows[:: max(1, -(-len(rows) // MOST))]
    if len(rows) < LEAST:
        raise DataError(f"{split} holds {len(rows)} pictures; a map needs {LEAST} or more")
    outputs = outputs_of(trained, np.asarray(data.inputs[rows]))
    apart = task.distances(outputs, outputs).detach().double().numpy()
    # A learned unit gives minus its log-odds, which may be below 0.
    apart = np.maximum(apart - min(0.0, float(apart.min())), 0)
    np.fill_diagonal(apart, 0)
    layout = TSNE(
        metric="precomputed",
        init="random",
        perplexity=min(PERPLEXITY, (len(rows) - 1) / 3),
        random_state=0,
    )
    targets = np.asarray(data.targets[rows])
    np.fill_diagonal(apart, np.inf)
    right = targets[apart.argmin(1)] == targets
    np.fill_diagonal(apart, 0)
    return EncodingMap(
        places=layout.fit_transform(apart),
        people=tuple(data.classes[target] for target in targets),
        ids=tuple(str(name) for name in data.ids[rows]),
        right=tuple(right.tolist()),
    )
