"""What frozen layers make of the training data, computed once and trained on (notes 5.16)."""

import os
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import chain
from json import dumps
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gapwise.data.prepared import Prepared
from gapwise.errors import StorageError
from gapwise.records import NumericPlan
from gapwise.training.checkpoints import weights_digest
from gapwise.training.feeds import Batch, Feed, Positions, StreamFeed, open_feed
from gapwise.training.freezing import Tail, frozen_outputs
from gapwise.training.identity import PACKAGE, code_digest
from gapwise.training.learner import Learner, evaluating, evaluation_batch
from gapwise.training.model import Model
from gapwise.training.numerics import autocast
from gapwise.training.order import cut

KEPT = 4
"""Files of features that stay beside one prepared data; older ones go."""


@dataclass(frozen=True, kw_only=True)
class Features:
    """The frozen layers' outputs in place of the inputs; all arrays of one length."""

    inputs: NDArray[np.float32]
    targets: NDArray[Any]
    weights: NDArray[np.float64] | None


class FeatureFeed:
    """Gives features where another feed gives inputs; knows the examples of train and dev."""

    def __init__(
        self, prepared: Prepared, positions: Positions, path: Path, device: torch.device
    ) -> None:
        self._positions = torch.from_numpy(positions).to(device)
        self._rows = np.full(len(prepared), -1, dtype=np.int64)
        self._rows[positions] = np.arange(len(positions))
        weights = None if prepared.weights is None else prepared.weights[positions]
        features = Features(
            inputs=np.load(path, mmap_mode="r"),
            targets=prepared.targets[positions],
            weights=weights,
        )
        self._feed = open_feed(features, device)

    def batches(self, positions: Sequence[Positions]) -> Generator[Batch, None, None]:
        """Give one batch for each array of positions, in their order."""
        rows = [self._rows[batch] for batch in positions]
        with closing(self._feed.batches(rows)) as batches:
            for batch in batches:
                yield replace(batch, positions=self._positions.index_select(0, batch.positions))


def open_features(
    learner: Learner, prepared: Prepared, plan: NumericPlan, between: Callable[[], None]
) -> Feed:
    """Let ``learner`` train on the frozen layers' outputs from here on; give the feed of those.

    They are computed in batches, and kept beside the prepared data under a name that tells all that
    decides them: the next seed and a resumed run find them there. What does not fit into a quarter
    of the memory is read from the file batch by batch.

    Args:
        learner: its model has frozen units.
        prepared: the data; features of train and dev are made.
        plan: the numeric plan in force.
        between: called after each batch, and may raise to stop.

    Raises:
        StorageError: the disk refuses.
    """
    model = learner.model
    positions = np.concatenate([prepared.indices("train"), prepared.indices("dev")])
    folder = prepared.folder.with_name(f"{prepared.folder.name}-features")
    path = folder / f"{_key(model, prepared, plan)}.npy"
    try:
        if not path.is_file():
            with evaluating(model):
                pieces = _outputs(model, prepared, positions, plan, between)
                _write(path, len(positions), pieces)
        path.touch()
        _prune(folder)
        feed = FeatureFeed(prepared, positions, path, learner.device)
    except (OSError, ValueError) as error:
        raise StorageError(
            f"the precomputed outputs {path} cannot be kept ({error}); free some space, delete "
            f"{folder}, or set transfer.precompute=false"
        ) from error
    learner.use(Tail)
    return feed


def _key(model: Model, prepared: Prepared, plan: NumericPlan) -> str:
    """Return a name that depends on all that decides the features."""
    frozen = {f"{at}.{name}": tensor for at, unit in enumerate(model.frozen)
              for name, tensor in unit.state_dict().items()}  # fmt: skip
    facts = {
        "weights": weights_digest({**frozen, "mean": model.mean, "deviation": model.deviation}),
        "network": dict(model.spec.network),
        "units": len(model.frozen),
        "data": prepared.digest,
        "plan": asdict(plan),
        "code": [code_digest(PACKAGE), torch.__version__],
    }
    return sha256(dumps(facts, sort_keys=True).encode()).hexdigest()[:40]


def _outputs(
    model: Model,
    prepared: Prepared,
    positions: Positions,
    plan: NumericPlan,
    between: Callable[[], None],
) -> Iterator[NDArray[np.float32]]:
    """Give the frozen units' outputs of ``positions``, in their order, batch by batch."""
    feed = StreamFeed(prepared, model.mean.device)
    for batch in feed.batches(cut(positions, evaluation_batch(model))):
        with autocast(plan):
            outputs = frozen_outputs(model, batch.inputs)
        yield outputs.float().cpu().numpy()
        between()


def _write(path: Path, count: int, pieces: Iterator[NDArray[np.float32]]) -> None:
    """Write an array of ``count`` rows that comes in pieces, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".features-", dir=path.parent)
    os.close(descriptor)
    draft = Path(name)
    try:
        first = next(pieces)
        shape = (count, *first.shape[1:])
        rows = np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=shape)
        done = 0
        for piece in chain([first], pieces):
            rows[done : done + len(piece)] = piece
            done += len(piece)
        rows.flush()
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    """Keep the files that were used last; who has an older one open goes on reading it."""
    times = {path: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    for path in sorted(times, key=lambda path: times[path], reverse=True)[KEPT:]:
        with suppress(FileNotFoundError):
            path.unlink()
