"""Two steps against one (notes 4.18): find a thing, cut it out, read it; or read it from the whole.

A run that finds and a run that reads crops become two runs of a system: as it is, where the reader
sees what the finder framed, and with finding perfect, where it sees what people framed. So the
ceiling of each step is known, and the system can be compared with a network from end to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise.data.framing import framed
from gapwise.data.prepared import Prepared
from gapwise.diagnostics.compare import Comparison
from gapwise.diagnostics.parts import taken
from gapwise.diagnostics.steps import Ceiling
from gapwise.errors import DataError, UsageError, shown
from gapwise.forms.boxes import Box
from gapwise.forms.boxes import read as boxes_of
from gapwise.inputs import size_told
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import MEMBERS_TAG, StoredRun
from gapwise.workflows import labelled
from gapwise.workflows.author import author
from gapwise.workflows.ceiling import CeilingRequest, ceiling
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.record import write_predictions
from gapwise.workflows.trained_run import TrainedRun, open_trained, outputs_of

KIND: Final = "two-step"
FIND, READ = "find", "read"


@dataclass(frozen=True, kw_only=True)
class TwoSteps:
    """What ``two-step --json`` says.

    Attributes:
        as_it_is: the run whose reader saw what the finder framed.
        find_perfect: the run whose reader saw the true boxes.
        left_out: split → examples that have no box, or several.
        ceiling: what each step can gain, on dev.
        end_to_end: the run from end to end; "" without.
        against: the system as it is (A) against it (B), on dev.
    """

    as_it_is: str
    find_perfect: str
    left_out: Mapping[str, int]
    ceiling: Ceiling
    end_to_end: str = ""
    against: Comparison | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the document."""
        return {
            "as_it_is": self.as_it_is,
            "find_perfect": self.find_perfect,
            "left_out": dict(self.left_out),
            "ceiling": self.ceiling.as_json(),
            "end_to_end": self.end_to_end,
            "against": self.against.as_json() if self.against else None,
        }


def two_steps(
    find: str, read: str, *, against: str | None = None, settings: Settings | None = None
) -> TwoSteps:
    """Record the system of two runs, as it is and with finding perfect, and judge it on dev.

    The class of an example is that of its one box. Both runs belong to the dataset and the
    experiment of ``against``, so that the three can be compared.

    Args:
        find: a run whose labels are boxes.
        read: a run that tells classes from square pictures: crops.
        against: a run that tells the class from the whole picture.
        settings: where runs are.

    Raises:
        UsageError: a run is unknown, or is not for its step.
        DataError: the steps do not fit, or the reader was trained on what the system is judged by.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    finder, other = store.open(find), store.open(against) if against else None
    steps = _Steps(finder, open_trained(read, settings), settings)
    tables = {split: steps.judged(split) for split in finder.splits()}
    if "dev" not in tables:
        raise DataError(f"run {finder.run_id} ({finder.name}) has no predictions of dev; resume it")
    place = other or finder
    made = []
    for name, index in (("find + read", 0), ("perfect find + read", 1)):
        with store.create(
            experiment=place.experiment,
            name=name,
            kind=KIND,
            seed=None,
            group=None,
            dataset=other.dataset if other else f"{finder.dataset}-{READ}",
            tags=_tags(finder, steps.reader),
        ) as writer:
            write_predictions(writer, {split: found[index] for split, found in tables.items()})
            writer.finish("FINISHED")
        made.append(writer.run_id)
    request = CeilingRequest(
        source=made[0], perfect=(f"{FIND}={made[1]}",), steps=(FIND, READ), split="dev"
    )
    return TwoSteps(
        as_it_is=made[0],
        find_perfect=made[1],
        left_out={split: count for split, count in steps.left_out.items() if count},
        ceiling=ceiling(request, settings),
        end_to_end=other.run_id if other else "",
        against=compare_runs(made[0], other.run_id, settings=settings) if other else None,
    )


def _tags(finder: StoredRun, reader: TrainedRun) -> dict[str, str]:
    return {
        MEMBERS_TAG: f"{finder.run_id},{reader.run_id}",
        "mlflow.source.name": f"gapwise two-step {finder.run_id} {reader.run_id}",
        "mlflow.user": author(),
    }


class _Steps:
    """The two steps, checked to fit.

    Attributes:
        finder: the run that finds.
        reader: the run that reads.
        left_out: split → examples that are not judged.
    """

    def __init__(self, finder: StoredRun, reader: TrainedRun, settings: Settings) -> None:
        self.finder, self.reader, self._settings = finder, reader, settings
        self._pictures: Prepared = open_trained(finder.run_id, settings).prepared()
        self.left_out: dict[str, int] = {}
        labels, shape = reader.model.spec.labels, reader.model.spec.input_shape
        if self._pictures.labels.kind != "boxes":
            raise UsageError(
                f"run {finder.run_id} ({finder.name}) finds no boxes but tells "
                f"{self._pictures.labels.told}; name a run of task localize or detect first"
            )
        square = len(shape) == 3 and shape[1] == shape[2]
        if labels.kind != "class" or not square or shape[0] != self._pictures.input_shape[0]:
            raise UsageError(
                f"run {reader.run_id} tells {labels.told} from inputs of {size_told(shape)}, but "
                f"crops are squares with {self._pictures.input_shape[0]} channels and one class; "
                "train it on crops, as the pipeline digit-crops does"
            )
        missing = set(self._pictures.labels.classes[0]) - set(labels.only)
        if missing:
            raise DataError(
                f"run {reader.run_id} knows no class {shown(min(missing))!r}, which boxes of "
                f"{self._pictures.name} have; train it on crops of all classes"
            )
        self._known = set(_trained_on(reader))

    def judged(self, split: str) -> tuple[Predictions, Predictions]:
        """Return what the system says of a split as it is, and with finding perfect."""
        table = labelled.read(self.finder, split, self._settings)
        true = [boxes_of(str(text)) for text in table.target]
        alone = np.flatnonzero([len(boxes) == 1 for boxes in true])
        self.left_out[split] = len(true) - len(alone)
        if split != "train":
            self._check_unseen(split, table.example_id[alone])
        table = taken(table, alone)
        pictures = self._pictures.rows(table.example_id.tolist())
        said = [boxes_of(str(text)) for text in table.predicted]
        found = [_surest(boxes, one) for boxes, one in zip(said, pictures, strict=True)]
        framed_by_hand = [true[row][0] for row in alone]
        names = [box.name for box in framed_by_hand]
        as_it_is = self._read(table, pictures, found, names)
        return as_it_is, self._read(
            table, pictures, [_corners(box) for box in framed_by_hand], names
        )

    def _check_unseen(self, split: str, ids: NDArray[np.str_]) -> None:
        seen = sorted(self._known & set(ids.tolist()))
        if seen:
            raise DataError(
                f"{len(seen)} {split} examples of run {self.finder.run_id} trained the reader "
                f"{self.reader.run_id} ({shown(seen[0])} for one); draw the splits of both alike"
            )

    def _read(
        self,
        table: Predictions,
        pictures: NDArray[np.uint8],
        boxes: list[tuple[float, ...]],
        names: list[str],
    ) -> Predictions:
        import torch

        spec = self.reader.model.spec
        side = spec.input_shape[1]
        cut = [framed(*one, side) for one in zip(pictures, boxes, strict=True)]
        crops = np.stack(cut) if cut else np.empty((0, *spec.input_shape), np.uint8)
        outputs = outputs_of(self.reader, crops)
        targets = torch.tensor([spec.labels.only.index(name) for name in names])
        task = self.reader.model.task
        predicted, error, _ = task.judge(outputs, targets)
        scores = task.scores(outputs)
        return replace(
            table,
            target=targets.numpy(),
            predicted=predicted.numpy(),
            error=error.double().numpy(),
            loss=task.loss(outputs, targets).double().numpy(),
            scores=None if scores is None else scores.numpy(),
            classes=spec.labels.only,
            labels=spec.labels,
        )


def _trained_on(reader: TrainedRun) -> list[str]:
    data = reader.prepared()
    names: list[str] = data.ids[data.indices("train")].tolist()
    return names


def _corners(box: Box) -> tuple[float, ...]:
    return box.x0, box.y0, box.x1, box.y1


def _surest(boxes: list[Box], picture: NDArray[np.uint8]) -> tuple[float, ...]:
    """Return the box with the highest score; the whole picture where none is said."""
    if not boxes:
        return (0.0, 0.0, float(picture.shape[2]), float(picture.shape[1]))
    return _corners(max(boxes, key=lambda box: box.score))
