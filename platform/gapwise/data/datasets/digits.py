"""scikit-learn's 1,797 handwritten digits of 8×8 pixels, as scans and as seen by a phone.

Every digit is used once: as the original (source ``scan``) or as a camera sees it (``phone``, see
``gapwise.data.synthesis.camera``). Which one becomes a phone picture is decided by a keyed hash of
(seed, id).
"""

import numpy as np
from numpy.typing import NDArray

from gapwise.data.base import Originals, ReadContext
from gapwise.data.keyed import uniform
from gapwise.data.synthesis.camera import camera
from gapwise.errors import DataError
from gapwise.records import ExampleSet

__all__ = ["digits"]

NOTE = (
    "Writers of the digits are not recorded, so the same writer may stand in train, train-dev, "
    "dev and test: the variance measured here is that of known writers."
)


def digits(context: ReadContext, *, phone: int = 774) -> ExampleSet:
    """Read the digits: inputs (1797, 1, 8, 8) uint8, sources ``scan`` and ``phone``.

    Args:
        context: its seed decides which digits are phone pictures, and their noise.
        phone: how many digits are seen by a phone.

    Raises:
        DataError: ``phone`` is more than there are digits.
    """
    # scikit-learn takes half a second to import; other datasets do not need it.
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    bundle = load_digits()
    count = len(bundle.target)
    if not 0 <= phone <= count:
        raise DataError(
            f"data.dataset: digits: phone is {phone}, but there are {count} digits; "
            f"choose 0 to {count}"
        )
    ids = np.array([f"digits/{index:04d}" for index in range(count)])
    images = np.rint(bundle.images[:, None] * (255 / 16)).astype(np.uint8)
    chosen = _chosen(context.seed, ids, phone)
    keys = [f"phone/{context.seed}/{i}" for i in ids[chosen]]
    images[chosen] = camera(Originals(inputs=images[chosen], keys=keys)).inputs
    sources = np.full(count, "scan", dtype="<U5")
    sources[chosen] = "phone"
    return ExampleSet(
        name="digits",
        inputs=images,
        targets=bundle.target.astype(np.int64),
        classes=tuple(str(digit) for digit in range(10)),
        ids=ids,
        sources=sources,
        notes=(NOTE,),
    )


def _chosen(seed: int, ids: NDArray[np.str_], count: int) -> NDArray[np.int64]:
    """Return the positions of the ``count`` ids with the smallest hash."""
    return np.sort(np.argsort(uniform(seed, "phone", ids), kind="stable")[:count])
