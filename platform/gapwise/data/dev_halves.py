"""Dev in two parts: one that a search chooses by, and one that has chosen nothing at its end."""

from dataclasses import dataclass

import numpy as np

from gapwise.data.keyed import uniform
from gapwise.data.prepared import Prepared
from gapwise.data.subset import with_split
from gapwise.errors import DataError

FEWEST = 10
"""Examples (or groups) that each part has, at least."""


@dataclass(frozen=True, kw_only=True)
class DevHalves:
    """The same data twice: dev holds those that choose, or those that confirm."""

    choosing: Prepared
    confirming: Prepared


def dev_halves(whole: Prepared, share: float) -> DevHalves:
    """Return ``whole`` with each part of dev as its dev; train and the rest stay as they are.

    Who is in which part is a function of the id, or the group, alone: a second search on the same
    data is confirmed by the same examples.

    Args:
        whole: the data that a pipeline trains on.
        share: of dev that confirms.

    Raises:
        DataError: dev is too small to be parted.
        StorageError: the folder cannot be written.
    """
    dev = whole.indices("dev")
    names = whole.ids if whole.groups is None else whole.groups
    confirms = np.array(uniform(0, "confirm", (str(name) for name in names[dev]))) < share
    for part in (dev[confirms], dev[~confirms]):
        if len(np.unique(names[part])) < FEWEST:
            raise DataError(
                f"dev of {whole.name} has {len(dev)} examples, too few to choose by some and "
                f"confirm by others ({FEWEST} of each at least); raise splits.dev, or change "
                "search.confirm.share"
            )
    without = {"choosing": dev[confirms], "confirming": dev[~confirms]}
    found = {}
    for name, left_out in without.items():
        split = whole.split.copy()
        split[left_out] = ""
        found[name] = with_split(whole, split, f"dev {name} {share:g}")
    return DevHalves(**found)
