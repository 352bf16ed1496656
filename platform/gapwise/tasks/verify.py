"""Verification: are two pictures of one person? (notes 7)"""

from collections.abc import Iterator
from math import sqrt
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.errors import PipelineError
from gapwise.labels import Labels
from gapwise.tasks.base import Judged, Task, check_shape, widened

__all__ = ["Verify"]

AT_ONCE = 2**23
"""Numbers that are compared at once, at most."""

MOST = 512
"""Examples among which triplets are sought, at most."""

Mining = Literal["semi-hard", "hard", "all"]


class Decision(nn.Module):
    """What decides whether a distance is one person's.

    Args:
        size: units of an encoding where a unit on differences is learned; 0 where none is.

    Attributes:
        threshold: τ, a scalar.
    """

    threshold: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("threshold", torch.tensor(0.0))
        if size:
            # Encodings of length 1 at random differ by about 1.1·√size in all: that is the middle.
            self.weight = nn.Parameter(-torch.ones(size))
            self.bias = nn.Parameter(torch.tensor(0.9 * sqrt(size)))

    def differences(self, ones: Tensor, others: Tensor) -> Tensor:
        """Return the log-odds that two are one person, (n, m), for (n, size) and (m, size)."""
        weight, bias = self.weight.to(ones.dtype), self.bias.to(ones.dtype)
        return (ones[:, None] - others[None]).abs() @ weight + bias


class Verify(Task):
    """A Siamese encoder: outputs are encodings, and pictures of one person lie near one another.

    Targets are (n,) int64 persons. What is learned is how to compare, so that people who never
    trained can be told apart (notes 7.2, 7.3). Examples of a split are judged by comparing each
    with all others: two are held for one person where their distance is at most τ, which is chosen
    on dev so that of two people ``far`` of the pairs pass.

    An example's error is the mean of two shares: of the other pictures of its person that are
    rejected, and of the pictures of others that are accepted; or the latter alone where its person
    has no other picture. What is predicted is the person of the nearest other picture (recognition
    by one picture, notes 7.1).

    Args:
        size: units of an encoding.
        loss: ``triplet`` (notes 7.4; Schroff et al., 2015), or ``logistic``, a unit on the
            differences |f(a) − f(b)| of a pair (7.5; Taigman et al., 2014). Distances are
            ‖f(a) − f(b)‖² of encodings of length 1, or minus the unit's log-odds.
        mining: the negatives of a triplet, sought in its batch: ``semi-hard``, the nearest that is
            farther than the positive, or the farthest where none is; ``hard``, the nearest of all,
            with the farthest positive; ``all``.
        margin: α, by how much a negative shall be farther than a positive.
        far: share of pairs of two people that τ may accept (false-accept rate).
    """

    compares = True
    learned: Decision

    def __init__(
        self,
        *,
        size: int = 128,
        loss: Literal["triplet", "logistic"] = "triplet",
        mining: Mining = "semi-hard",
        margin: float = 0.2,
        far: float = 0.01,
    ) -> None:
        if size < 1:
            raise ValueError(f"size is {size}, but an encoding has at least 1 unit")
        if not margin > 0:
            raise ValueError(f"margin is {margin:g}, not above 0: equal encodings would do")
        if not 0 < far < 1:
            raise ValueError(f"far is {far:g}, not between 0 and 1")
        self._size, self._mining, self._margin, self._far = size, mining, margin, far
        self.learned = Decision(size if loss == "logistic" else 0)

    def fit(self, labels: Labels, targets: NDArray[Any]) -> dict[str, Any]:
        """Return nothing; what is learned lies in ``learned``.

        Raises:
            PipelineError: there are no two people of whom one has two pictures.
        """
        super().fit(labels, targets)
        counts = np.bincount(targets[targets >= 0])
        if (counts > 0).sum() < 2 or counts.max(initial=0) < 2:
            raise PipelineError(
                f"task verify compares people, but train holds {(counts > 0).sum()} of them with "
                f"at most {counts.max(initial=0)} pictures each; give two people or more, some "
                "with two pictures"
            )
        return {}

    def outputs(self, labels: Labels) -> int:
        """Return the units of an encoding."""
        return self._size

    @property
    def threshold(self) -> float:
        """τ: the greatest distance of two pictures that are held for one person."""
        return float(self.learned.threshold)

    def distances(self, ones: Tensor, others: Tensor) -> Tensor:
        """Return the distance of each of ``ones`` to each of ``others``, (n, m) float32 or wider.

        Args:
            ones: (n, size), outputs.
            others: (m, size), outputs.
        """
        first, second = _unit_length(ones), _unit_length(others)
        if not self.learned.size:
            return (2 - 2 * first @ second.T).clamp(min=0)
        rows = max(1, AT_ONCE // max(1, second.numel()))
        parts = [self.learned.differences(part, second) for part in torch.split(first, rows)]
        return -torch.cat(parts)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of each anchor's triplets, or pairs, in the batch, (n,).

        0 where it has none. Of a large batch, ``MOST`` examples after the other make one.
        """
        check_shape(outputs, targets, outputs.shape[:1], "outputs")
        if not len(outputs):
            return widened(outputs).sum(1)
        if len(outputs) > MOST:
            parts = zip(torch.split(outputs, MOST), torch.split(targets, MOST), strict=True)
            return torch.cat([self.loss(*part) for part in parts])
        distances = self.distances(outputs, outputs)
        same, other = _pairs(targets, targets)
        same.fill_diagonal_(0)
        if self.learned.size:
            rejected, accepted = F.softplus(distances), F.softplus(-distances)
            return (_mean(rejected, same) + _mean(accepted, other)) / 2
        if self._mining == "hard":
            farthest = torch.where(same, distances, -torch.inf).amax(1)
            nearest = torch.where(other, distances, torch.inf).amin(1)
            has = same.any(1) & other.any(1)
            return torch.where(has, F.relu(farthest - nearest + self._margin), 0)
        rows = max(1, AT_ONCE // max(1, len(outputs) ** 2))
        cut = (torch.split(part, rows) for part in (distances, same, other))
        return torch.cat([self._triplets(*part) for part in zip(*cut, strict=True)])

    def predict(self, outputs: Tensor) -> Tensor:
        """Return -1, nobody, (n,): who it is, others must tell (``judge``, or a gallery)."""
        return torch.full((len(outputs),), -1, dtype=torch.int64)

    def scores(self, outputs: Tensor) -> None:
        """Return None: people that never trained have no unit."""
        return

    def averaged(self, views: Tensor) -> Tensor:
        """Return the mean encoding of the views."""
        return F.normalize(widened(views), dim=2).mean(0)

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return 1 where another person is named, else 0 (recognition)."""
        check_shape(predicted, targets, predicted.shape, "predictions")
        return (predicted != targets).float()

    def judge(self, outputs: Tensor, targets: Tensor) -> Judged:
        """Compare all with all: see the class.

        Columns are ``false_rejects`` and ``false_accepts``, the two shares, and
        ``nearest_distance``.
        """
        if not len(outputs):
            none = torch.empty(0, device=outputs.device)
            columns = dict.fromkeys(("false_rejects", "false_accepts", "nearest_distance"), none)
            return Judged(predicted=targets, error=none, columns=columns)
        named, shares, nearest = [], [], []
        for start, distances in self._blocks(outputs):
            rows = slice(start, start + len(distances))
            same, other = _pairs(targets[rows], targets)
            itself = torch.arange(start, start + len(distances), device=targets.device)
            same[torch.arange(len(distances)), itself] = False
            apart = distances > self.threshold
            shares.append(torch.stack([_mean(apart, same), _mean(~apart, other)], 1))
            found = torch.where(same | other, distances, torch.inf).min(1)
            named.append(torch.where(found.values.isfinite(), targets[found.indices], -1))
            nearest.append(found.values)
        rejects, accepts = torch.cat(shares).unbind(1)
        alone = torch.bincount(targets.clamp(min=0))[targets.clamp(min=0)] < 2
        return Judged(
            predicted=torch.cat(named),
            error=torch.where(alone, accepts, (rejects + accepts) / 2).float(),
            columns={
                "false_rejects": torch.where(alone, torch.nan, rejects.double()),
                "false_accepts": accepts.double(),
                "nearest_distance": torch.cat(nearest).double(),
            },
        )

    def calibrate(self, outputs: Tensor, targets: Tensor) -> None:
        """Choose τ: of the pairs of two people, at most the share ``far`` is as near."""
        found = [torch.empty(0, device=outputs.device)]
        for start, distances in self._blocks(outputs):
            _, other = _pairs(targets[start : start + len(distances)], targets)
            # Each pair once, and only so many as τ can lie among.
            other &= torch.arange(len(targets), device=targets.device) > (
                start + torch.arange(len(distances), device=targets.device)[:, None]
            )
            found.append(distances[other])
        apart = torch.cat(found).sort().values
        if not len(apart):
            return
        accepted = int(self._far * len(apart))
        low = apart[max(accepted - 1, 0)]
        high = apart[min(accepted, len(apart) - 1)]
        # With none accepted, below the nearest pair.
        chosen = (low + high) / 2 if accepted else high - high.abs() * 1e-6
        self.learned.threshold.copy_(chosen)

    def _triplets(self, distances: Tensor, same: Tensor, other: Tensor) -> Tensor:
        """Return the mean loss of some anchors' triplets, (anchors,).

        Args:
            distances: (anchors, n), to every example.
            same: (anchors, n), whether it is another picture of the anchor's person.
            other: (anchors, n), whether it is of somebody else.
        """
        near, far = distances[:, :, None], distances[:, None, :]
        if self._mining == "all":
            losses = F.relu(near - far + self._margin)
            return _mean(losses.flatten(1), (same[:, :, None] & other[:, None, :]).flatten(1))
        beyond = other[:, None, :] & (far > near)
        nearest = torch.where(beyond, far, torch.inf).amin(2)
        farthest = torch.where(other, distances, -torch.inf).amax(1, keepdim=True)
        negative = torch.where(nearest.isfinite(), nearest, farthest)
        has = same & other.any(1, keepdim=True)
        return _mean(F.relu(torch.where(has, distances - negative + self._margin, 0)), has)

    def _blocks(self, outputs: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Give the distances of some rows to all examples, with the first row's place."""
        rows = max(1, AT_ONCE // max(1, len(outputs)))
        for start in range(0, len(outputs), rows):
            yield start, self.distances(outputs[start : start + rows], outputs)


def _unit_length(outputs: Tensor) -> Tensor:
    return F.normalize(widened(outputs), dim=1)


def _pairs(ones: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Return which pairs are of one person, and which of two; unknown people make no pair."""
    known = (ones >= 0)[:, None] & (others >= 0)[None]
    same = ones[:, None] == others[None]
    return same & known, ~same & known


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the chosen values of each row, 0 where there are none."""
    kind = values.dtype if values.is_floating_point() else torch.float32
    total = torch.where(chosen, values, 0).sum(1, dtype=kind)
    return total / chosen.sum(1).clamp(min=1)
