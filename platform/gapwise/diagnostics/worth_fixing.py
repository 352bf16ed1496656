"""Whether mending labels can change which of two runs is better (notes 4.11)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.label_review import Share


@dataclass(frozen=True, kw_only=True)
class Worth:
    """Whether fixing labels can change which of the two best runs is better (notes 4.11).

    Attributes:
        lead: examples by which the better one is ahead on the split.
        differ: examples that one has right and the other wrong.
        can_move: the most that mending those could move the lead by, at the upper end of the share
            of wrong labels among wrong examples; None until a sample was reviewed.
    """

    lead: int
    differ: int
    can_move: float | None

    @property
    def is_worth(self) -> bool | None:
        """Whether the order could change; None until a sample was reviewed."""
        return None if self.can_move is None else self.can_move >= self.lead

    @property
    def says(self) -> str:
        """One sentence."""
        basis = f"The two best runs differ on {self.differ:,} examples, by a lead of {self.lead:,}"
        if self.can_move is None:
            return f"{basis}; review a sample of wrong examples to see if labels could turn it."
        move = f"mending labels could move that by {self.can_move:.0f} at most"
        if self.is_worth:
            return f"{basis}; {move}: worth fixing, for it can change which run is best."
        return f"{basis}; {move}: not needed to choose between them."


def worth_fixing(
    better: NDArray[np.float64], other: NDArray[np.float64], of_error: Share | None
) -> Worth:
    """Return whether wrong labels can turn the order of two runs.

    Each mended label among the examples where they differ can move the lead by two: one run loses
    an example and the other wins it.

    Args:
        better, other: (n,) errors of two runs on the same examples, the better one's first.
        of_error: share of wrong examples whose label is wrong.
    """
    differ = int((better != other).sum())
    lead = round(float(other.sum() - better.sum()))
    most = None if of_error is None else 2 * of_error.high * differ
    return Worth(lead=lead, differ=differ, can_move=most)
