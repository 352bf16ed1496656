"""Detection as YOLO does it: a grid, anchors, non-max suppression a class (notes 6.5 to 6.9)."""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gapwise.errors import DataError
from gapwise.forms.base import UNKNOWN_CLASS
from gapwise.labels import Labels
from gapwise.tasks._anchors import Places, anchors_of, places
from gapwise.tasks.base import Task, widened
from gapwise.tasks.boxes import corners, each, iou, kept, matches

__all__ = ["Detect"]

LARGEST_LOG = 4.0
"""Of a box's side over its anchor's: beyond it no box is 50 times its anchor."""


class Detect(Task):
    """Every cell of a grid says, for each anchor, whether an object has its centre there.

    Targets are (n, m, 5), see ``gapwise.forms.boxes``; outputs (n, anchors · (5 + classes), rows,
    columns): for each anchor p_c, the centre in the cell, width and height over the anchor's, and a
    unit a class. An object belongs to the cell of its centre and to the anchor of that shape; where
    another object has that place already, it is lost to training (notes 6.8), and counted in the
    column ``lost``.

    Args:
        anchors: how many; found among the boxes of train by k-means on 1 − IoU (Redmon and Farhadi,
            2016, YOLO9000).
        box: weight of the box in the loss.
        empty: weight of a place where no object is.
        ignore: places whose box overlaps an object by more than this are no empty ones.
        suppress: of two boxes of a class that overlap by more than this, the less sure one goes.
        least_score: boxes below it are not even written down; from 0.5 on a box is said.
        most: boxes of a picture, at most.
        overlap: intersection over union from which a box is of an object.
    """

    kind = "boxes"
    wants = "grid"

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        anchors: int = 3,
        box: float = 5.0,
        empty: float = 0.5,
        ignore: float = 0.6,
        suppress: float = 0.5,
        least_score: float = 0.05,
        most: int = 100,
        overlap: float = 0.5,
    ) -> None:
        if anchors < 1 or most < 1:
            raise ValueError(f"anchors is {anchors} and most is {most}; both need at least 1")
        if not (box >= 0 and empty >= 0):
            raise ValueError(f"weights are box {box:g} and empty {empty:g}, not numbers from 0")
        shares = {"ignore": ignore, "suppress": suppress, "least_score": least_score}
        for name, value in (shares | {"overlap": overlap}).items():
            if not 0 < value <= 1:
                raise ValueError(f"{name} is {value:g}, not above 0 and at most 1")
        self._count, self._weights, self._ignore = anchors, (box, empty), ignore
        self._suppress, self._least, self._most = suppress, least_score, most
        self._overlap = overlap

    def fit(self, labels: Labels, targets: NDArray[Any]) -> dict[str, Any]:
        """Return ``anchors``: width and height of each in pixels, the smallest first.

        Raises:
            DataError: train holds no object.
        """
        super().fit(labels, targets)
        real = targets[targets[..., 0] != UNKNOWN_CLASS]
        if not len(real):
            raise DataError("no picture of train holds an object; detection needs some")
        return {"anchors": anchors_of(real[:, 3:] - real[:, 1:3], self._count).tolist()}

    def use(self, labels: Labels, fitted: Mapping[str, Any]) -> None:
        """Take classes, anchors and the size of the pictures."""
        super().use(labels, fitted)
        self._anchors = torch.tensor(fitted["anchors"], dtype=torch.float32)
        height, width = labels.extent
        self._size = torch.tensor([width, height], dtype=torch.float32)
        self._grid = (1, 1)

    def outputs(self, labels: Labels) -> int:
        """Return 5 units and one a class, for each anchor."""
        return self._count * (5 + len(labels.classes[0]))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each picture, (n,): summed over its places.

        Cross-entropy for p_c at every place; where an object is, also for its class, and squared
        differences for centre and log size.
        """
        made = widened(self._by_place(outputs, targets))
        found = self._places(targets, self._grid)
        box, empty = self._weights
        there = found.there.to(made.dtype)
        is_there = F.binary_cross_entropy_with_logits(made[..., 0], there, reduction="none")
        counted = torch.where(found.there, 1.0, empty * ~self._near(made, targets))
        centre = (torch.sigmoid(made[..., 1:3]) - found.centre.to(made.dtype)).square().sum(-1)
        size = (made[..., 3:5] - found.size.to(made.dtype)).square().sum(-1)
        chances = torch.log_softmax(made[..., 5:], -1)
        of_class = -chances.gather(-1, found.code[..., None])[..., 0]
        whole = counted * is_there + there * (box * (centre + size) + of_class)
        return whole.flatten(1).sum(1)

    def predict(self, outputs: Tensor) -> Tensor:
        """Return (n, k, 6): class, box in pixels and score, the surest first, -1 filling up."""
        made = self._by_place(outputs).float().flatten(1, 3)
        size = self._size.to(made.device).repeat(2)
        boxes = corners(self._boxes(made, outputs.shape[2:])).clamp(min=0).minimum(size)
        scores = torch.sigmoid(made[..., :1]) * torch.softmax(made[..., 5:], -1)
        return self._suppressed(boxes, scores.transpose(1, 2))

    def scores(self, outputs: Tensor) -> None:
        """Return None: each box has a score of its own, which stands beside it."""
        return

    def averaged(self, views: Tensor) -> Tensor:
        """Return the mean output of each place."""
        return views.mean(0)

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return 1 less F1 of each picture's boxes, (n,): 0 where none is missed and none false."""
        return each([one.error for one in matches(predicted, targets, self._overlap)], targets)

    def columns(self, predicted: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return ``objects``, ``misses``, ``false_positives`` and ``lost`` of each picture.

        Lost are the objects without a place of their own on the grid of the outputs seen last.
        """
        found = matches(predicted, targets, self._overlap)
        return {
            "objects": each([len(one.found) for one in found], targets).double(),
            "misses": each([one.misses for one in found], targets).double(),
            "false_positives": each([one.false_positives for one in found], targets).double(),
            "lost": self._places(targets, self._grid).lost.double(),
        }

    def _by_place(self, outputs: Tensor, targets: Tensor | None = None) -> Tensor:
        """Return outputs as (n, anchors, rows, columns, 5 + classes).

        Raises:
            DataError: outputs or targets have another shape; names both.
        """
        true = () if targets is None else tuple(targets.shape)
        if true and (len(true) != 3 or true[2] != 5 or true[0] != len(outputs)):
            raise DataError(
                f"targets have the shape {true} and outputs {tuple(outputs.shape)}; give boxes of "
                "5 numbers for each picture"
            )
        units = 5 + len(self.labels.classes[0])
        rows, columns = self._grid = outputs.shape[2], outputs.shape[3]
        return outputs.reshape(-1, self._count, units, rows, columns).permute(0, 1, 3, 4, 2)

    def _places(self, targets: Tensor, grid: tuple[int, int]) -> Places:
        device = targets.device
        return places(targets, self._anchors.to(device), self._size.to(device), grid)

    def _boxes(self, made: Tensor, grid: torch.Size) -> Tensor:
        """Return (n, places, 4) centre x, y, width, height in pixels."""
        rows, columns = grid
        anchors = self._anchors.to(made.device)
        device, dtype = made.device, made.dtype
        down = torch.arange(rows, device=device, dtype=dtype)
        right = torch.arange(columns, device=device, dtype=dtype)
        at = torch.stack(torch.meshgrid(right, down, indexing="xy"), -1).flatten(0, 1)
        cell = self._size.to(made) / torch.tensor([columns, rows], device=device, dtype=dtype)
        middle = (torch.sigmoid(made[..., 1:3]) + at.repeat(self._count, 1)) * cell
        scale = anchors.to(dtype).repeat_interleave(rows * columns, 0)
        return torch.cat([middle, made[..., 3:5].clamp(max=LARGEST_LOG).exp() * scale], -1)

    def _near(self, made: Tensor, targets: Tensor) -> Tensor:
        """Return which places say a box that overlaps an object, (n, anchors, rows, columns)."""
        with torch.no_grad():
            boxes = corners(self._boxes(made.detach().flatten(1, 3), made.shape[2:4]))
            overlap = iou(boxes, targets[..., 1:].to(boxes.dtype))
            real = (targets[..., 0] != UNKNOWN_CLASS)[:, None]
            return ((overlap > self._ignore) & real).any(-1).view(made.shape[:4])

    def _suppressed(self, boxes: Tensor, scores: Tensor) -> Tensor:
        """Return the boxes that non-max suppression leaves in each class.

        Args:
            boxes: (n, places, 4) corners.
            scores: (n, classes, places).
        """
        count = min(self._most, scores.shape[2])
        best, at = scores.topk(count, dim=2)
        of_class = boxes[:, None].expand(-1, scores.shape[1], -1, -1)
        own = of_class.gather(2, at[..., None].expand(-1, -1, -1, 4))
        left = torch.where(kept(own, best >= self._least, self._suppress), best, -1.0)
        codes = torch.arange(scores.shape[1], device=boxes.device, dtype=boxes.dtype)
        rows = torch.cat(
            [codes[None, :, None, None].expand(*left.shape, 1), own, left[..., None]], -1
        ).flatten(1, 2)
        first = rows[..., 5].topk(min(self._most, rows.shape[1]), dim=1).indices
        rows = rows.gather(1, first[..., None].expand(-1, -1, 6))
        nothing = rows.new_tensor([UNKNOWN_CLASS, 0, 0, 0, 0, 0])
        rows = torch.where(rows[..., 5:] >= self._least, rows, nothing)
        longest = int((rows[..., 0] != UNKNOWN_CLASS).sum(1).max()) if len(rows) else 0
        return rows[:, : max(1, longest)]
