"""Who trains and who judges: the draw of train, train-dev, dev and test (notes 4.5, 4.13, 4.14).

Dev and test are drawn at random from the target. The training distribution is everything that does
not come from the target plus a stated part of the target; train-dev is drawn at random out of it.
The split of an example depends on (seed, id), or (seed, group), through a keyed hash.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gapwise.data.assignment import Assignment, digest_of
from gapwise.data.buckets import EDGES, buckets, range_edges, saved_edges
from gapwise.data.cuts import load_cuts
from gapwise.data.draw import ANY, BETWEEN, Bounds, Pool, members, upper_bounds
from gapwise.data.keyed import uniform
from gapwise.data.split_notes import notes_on
from gapwise.errors import DataError, did_you_mean
from gapwise.pipeline import Splits
from gapwise.records import ExampleSet

__all__ = ["Assignment", "assign"]


def assign(examples: ExampleSet, splits: Splits) -> Assignment:
    """Draw the splits.

    Shares are thresholds on the hash: in expectation exact in every class, and data that is added
    moves nobody. Counts are exact (with groups: as near as whole groups allow) and stratified by
    class (numbers by ranges of a tenth each; of several labels, the first counts); save their cuts
    (``splits.cuts``) and data that is added moves nobody either. Where groups are given, the group
    is drawn as one, without regard to class.

    Raises:
        DataError: the target is no source, or more is asked for than there is.
    """
    is_target = _target(examples, splits)
    _check_room(int(is_target.sum()), splits)
    saved = load_cuts(splits) if splits.cuts else None
    draw = _Draw(examples, splits, is_target, saved or {})
    split = draw.split()
    return Assignment(
        split=split,
        cuts=draw.cuts,
        digest=digest_of(examples.ids, split),
        notes=notes_on(examples, split, splits, is_target),
        seed=splits.seed,
        target=splits.target,
    )


class _Draw:
    """One draw: the parts of the target first, then train-dev out of what trains."""

    def __init__(
        self,
        examples: ExampleSet,
        splits: Splits,
        is_target: NDArray[np.bool_],
        saved: Mapping[str, Mapping[str, float]],
    ) -> None:
        keys = examples.ids if examples.groups is None else examples.groups
        self.units, self.unit_of = np.unique(keys, return_inverse=True)
        self.examples = examples
        self.splits = splits
        self.is_target = is_target
        self.saved = saved
        self.cuts: dict[str, Bounds] = {}
        self.bucket_names = self._bucket_names()

    def split(self) -> NDArray[np.str_]:
        """Return the split of every example: (n,) str."""
        split = np.full(len(self.examples), "", dtype="<U9")
        parts = self._target_parts()
        training = ~self.is_target | parts["target_in_train"]
        for name in ("test", "dev"):
            split[parts[name] & self.is_target] = name
            # The rest of a judge's group must not train, whatever source it comes from.
            training &= ~parts[name]
        held = self._train_dev(training)
        split[training & held] = "train_dev"
        split[training & ~held] = "train"
        return split

    def _target_parts(self) -> dict[str, NDArray[np.bool_]]:
        """Return, for test, dev and what joins train, which examples' unit lies in it."""
        pool, rows = self._pool(self.is_target, "target")
        amounts = {"test": self.splits.test, "dev": self.splits.dev}
        lower: Bounds = {}
        parts = {}
        for name, amount in (*amounts.items(), ("target_in_train", self._joining())):
            upper = upper_bounds(pool, amount, lower, self.saved.get(name))
            self.cuts[name] = upper
            parts[name] = self._spread(members(pool, lower, upper), rows)
            lower = upper
        parts["target_in_train"] &= self.is_target
        return parts

    def _joining(self) -> int | float:
        asked = self.splits.target_in_train
        return 1.0 if isinstance(asked, str) else asked

    def _train_dev(self, training: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which examples' unit is held out of training: (n,) bool."""
        pool, rows = self._pool(training, "train_dev")
        if isinstance(self.splits.train_dev, int) and self.splits.train_dev > pool.examples:
            raise DataError(
                f"splits.train_dev is {self.splits.train_dev}, but the training distribution "
                f"holds {pool.examples} examples; ask for fewer"
            )
        upper = upper_bounds(pool, self.splits.train_dev, {}, self.saved.get("train_dev"))
        self.cuts["train_dev"] = upper
        return self._spread(members(pool, {}, upper), rows)

    def _pool(self, mask: NDArray[np.bool_], role: str) -> tuple[Pool, NDArray[np.int64]]:
        """Return the units that have an example in ``mask``, and their positions."""
        sizes = np.bincount(self.unit_of[mask], minlength=len(self.units))
        rows = np.flatnonzero(sizes)
        strata = self._strata(mask, role)[rows]
        hashes = uniform(self.splits.seed, role, self.units[rows])
        return Pool(hashes=hashes, sizes=sizes[rows].astype(np.int64), strata=strata), rows

    def _strata(self, mask: NDArray[np.bool_], role: str) -> NDArray[np.str_]:
        """Return the stratum of every unit: source and class, as far as they count."""
        if self.examples.groups is not None:
            return np.full(len(self.units), ANY)
        sources = self.examples.sources if role == "train_dev" else np.full(len(mask), "")
        strata = np.char.add(np.char.add(sources, BETWEEN), self.bucket_names)
        first = np.empty(len(self.units), dtype=strata.dtype)
        first[self.unit_of] = strata
        return first

    def _bucket_names(self) -> NDArray[np.str_]:
        """Return what every example is stratified by, (n,); "" where nothing is."""
        if not self.splits.stratify or self.examples.groups is not None:
            return np.full(len(self.examples), "")
        edges = None
        if self.examples.labels.kind == "number":
            edges = saved_edges(self.saved)
            edges = range_edges(self.examples.targets) if edges is None else edges
            self.cuts[EDGES] = {str(i): float(edge) for i, edge in enumerate(edges)}
        codes, names = buckets(self.examples, edges)
        return np.array(names)[codes]

    def _spread(self, inside: NDArray[np.bool_], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for every example whether its unit is ``inside``: (n,) bool."""
        chosen = np.zeros(len(self.units), dtype=bool)
        chosen[rows] = inside
        return chosen[self.unit_of]


def _target(examples: ExampleSet, splits: Splits) -> NDArray[np.bool_]:
    """Return which examples come from the target: (n,) bool."""
    if splits.target is None:
        return np.ones(len(examples), dtype=bool)
    is_target: NDArray[np.bool_] = examples.sources == splits.target
    if not is_target.any():
        help_ = did_you_mean(splits.target, {str(name) for name in np.unique(examples.sources)})
        raise DataError(
            f"splits.target is {splits.target!r}, which is no source of dataset "
            f"{examples.name!r}; {help_}"
        )
    return is_target


def _check_room(room: int, splits: Splits) -> None:
    """Refuse parts of the target that add up to more than it holds."""
    asked = {"dev": splits.dev, "test": splits.test, "target_in_train": splits.target_in_train}
    counts = {
        name: amount if isinstance(amount, int) else amount * room
        for name, amount in asked.items()
        if not isinstance(amount, str)
    }
    total = sum(counts.values())
    # Half an example of slack lets 0.7 + 0.2 + 0.1 through, which is not quite 1.
    if total > room + 0.5:
        parts = " + ".join(f"{name} {asked[name]}" for name in counts)
        raise DataError(
            f"splits: {parts} ask for {total:g} examples, but the target holds {room}; "
            "ask for fewer"
        )
