"""The trainings behind a learning curve: one run a size and seed, and none trained twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gapwise.data.subset import subset
from gapwise.diagnostics.errors_by_split import SplitErrors
from gapwise.diagnostics.learning_curve import Measured
from gapwise.diagnostics.reading import read_splits
from gapwise.errors import StorageError
from gapwise.settings import Settings
from gapwise.statistics.intervals import effective_size
from gapwise.tracking.store import CURVE_KIND, RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import part_runs
from gapwise.workflows.part_runs import POINT_TAG
from gapwise.workflows.seed_run import Batch

SIZE_TAG = "gapwise.curve.size"
"""Training examples that a run of a curve was left."""


@dataclass(frozen=True, kw_only=True)
class CurveRuns:
    """The runs of one curve.

    Attributes:
        measured: what they show.
        run_ids: by size, one a seed.
        trained: how many of them were trained now.
    """

    measured: Measured
    run_ids: Mapping[int, tuple[str, ...]]
    trained: int


def train_curve(batch: Batch, sizes: Sequence[int], settings: Settings) -> CurveRuns:
    """Train ``batch`` on subsets of ``sizes`` examples under its seeds, the smallest first.

    A run that is finished already, for the same pipeline, data and seed, is taken as it is; one
    that was stopped goes on from its checkpoint.

    Raises:
        StoppedError: a signal asked to stop; called again, this goes on where it was.
    """
    experiment = f"{batch.pipeline.name}-{CURVE_KIND}"
    batch = replace(batch, experiment=experiment, kind=CURVE_KIND, group=None)
    known = part_runs.known(RunStore(settings), experiment)
    found: dict[int, list[str]] = {}
    trained = 0
    for size in sizes:
        for seed in batch.seeds:
            point = _of_point(batch, size, seed)
            run_id, is_new = part_runs.run_of(point, known, settings)
            trained += is_new
            found.setdefault(size, []).append(run_id)
    run_ids = {size: tuple(runs) for size, runs in found.items()}
    return CurveRuns(
        measured=_measured(run_ids, RunStore(settings)), run_ids=run_ids, trained=trained
    )


def _of_point(batch: Batch, size: int, seed: int) -> Batch:
    prepared = subset(batch.prepared, size, seed)
    left = len(prepared.indices("train"))
    return replace(
        batch,
        prepared=prepared,
        run_name=f"{batch.pipeline.name}-n{left}",
        seeds=(seed,),
        tags={POINT_TAG: part_runs.key(batch.pipeline, prepared, seed), SIZE_TAG: str(left)},
    )


def _measured(run_ids: Mapping[int, Sequence[str]], store: RunStore) -> Measured:
    errors = {
        size: [_errors(store.open(run_id)) for run_id in runs] for size, runs in run_ids.items()
    }
    largest = errors[max(errors)]
    by_size = sorted(
        (round(sum(train.n for _, train in runs) / len(runs)), runs) for runs in errors.values()
    )
    return Measured(
        sizes=tuple(size for size, _ in by_size),
        dev=tuple(tuple(dev.rate for dev, _ in runs) for _, runs in by_size),
        train=tuple(tuple(train.rate for _, train in runs) for _, runs in by_size),
        n_dev=sum(_independent(dev) for dev, _ in largest) / len(largest),
    )


def _errors(run: StoredRun) -> tuple[SplitErrors, SplitErrors]:
    paths: dict[str, list[Path]] = {}
    for split in ("dev", "train"):
        path = run.predictions_path(split)
        if path is None:
            raise StorageError(
                f"run {run.run_id} of the curve has lost its predictions of {split}; delete its "
                f"folder and call the curve again"
            )
        paths[split] = [path]
    found, _ = read_splits(paths)
    return found["dev"][0], found["train"][0]


def _independent(errors: SplitErrors) -> float:
    """Return how many independent examples would tell as much as these do."""
    if errors.clusters is None or errors.wrong is not None:
        return float(errors.n)
    return effective_size(errors.clusters)
