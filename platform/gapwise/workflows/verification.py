"""`gapwise verify`: how well a run tells one person from two, and at which threshold."""

from dataclasses import dataclass

import numpy as np

from gapwise.errors import UsageError, shown
from gapwise.settings import Settings
from gapwise.statistics.verification import Distances, Measured
from gapwise.tasks.verify import Verify
from gapwise.tracking.store import RunStore
from gapwise.workflows.looking import count_looks
from gapwise.workflows.trained_run import TrainedRun, open_trained, outputs_of

MOST = 4000
"""Pictures of a split that are compared, at most."""

WAYS = 5


@dataclass(frozen=True, kw_only=True)
class SplitVerified:
    """What was measured on one split; a measure is None where there are too few people for it.

    Attributes:
        split: which.
        people, pictures: how many.
        pairs: of one person, and of two.
        auroc: P(a pair of one person is nearer than a pair of two).
        false_accepts, false_rejects: shares at the threshold.
        recognised: of pictures whose person is in the gallery.
        strangers_named: of pictures whose person is not.
        one_shot: of ``WAYS`` people with one picture each.
    """

    split: str
    people: int
    pictures: int
    pairs: tuple[int, int]
    auroc: Measured | None
    false_accepts: Measured | None
    false_rejects: Measured | None
    recognised: Measured | None
    strangers_named: Measured | None
    one_shot: Measured | None


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A run's threshold τ, the greatest distance of one person's pictures, and its splits."""

    run_id: str
    threshold: float
    splits: tuple[SplitVerified, ...]


def verify(run_ref: str, *, test: bool = False, settings: Settings | None = None) -> Verified:
    """Measure a run of task verify on train-dev and dev, and on test, which is counted.

    Raises:
        UsageError: the run does not verify.
    """
    settings = settings or Settings.read()
    trained, task = open_verifier(run_ref, settings)
    if test:
        count_looks([RunStore(settings).open(run_ref)], settings)
    wanted = ("train_dev", "dev", *(("test",) if test else ()))
    splits = [_measured(trained, task, name) for name in wanted]
    return Verified(
        run_id=trained.run_id,
        threshold=task.threshold,
        splits=tuple(split for split in splits if split.pictures),
    )


def open_verifier(run_ref: str, settings: Settings) -> tuple[TrainedRun, Verify]:
    """Open the network of a run that verifies, with its task.

    Raises:
        UsageError: the run does not verify, or was not trained here.
    """
    trained = open_trained(run_ref, settings)
    task = trained.model.task
    if not isinstance(task, Verify):
        raise UsageError(
            f"run {shown(run_ref)} has task {trained.model.spec.task['name']}, which makes no "
            "encodings; name a run with task: verify, as `gapwise train faces` makes"
        )
    return trained, task


def _measured(trained: TrainedRun, task: Verify, split: str) -> SplitVerified:
    data = trained.prepared()
    rows = data.indices(split)[:MOST]
    people = np.asarray(data.targets[rows])
    outputs = outputs_of(trained, np.asarray(data.inputs[rows]))
    found = Distances(task.distances(outputs, outputs).detach().numpy(), people)
    same, other = found.pairs
    rates = found.rates(task.threshold) if same and other else (None, None)
    identified = found.identify(task.threshold) or (None, None)
    return SplitVerified(
        split=split,
        people=found.people,
        pictures=len(rows),
        pairs=(same, other),
        auroc=found.auroc(),
        false_accepts=rates[0],
        false_rejects=rates[1],
        recognised=identified[0],
        strangers_named=identified[1],
        one_shot=found.one_shot(WAYS),
    )
