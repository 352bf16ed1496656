"""A picture of a digit and a number beside it; what is their sum?

Neither the picture nor the number tells alone. The pictures are scikit-learn's real digits, each
used once; the number is drawn for each example.
"""

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.datasets.digits import digits
from gapwise.data.hybrid import with_columns
from gapwise.data.keyed import uniform
from gapwise.labels import one_class
from gapwise.records import ExampleSet

__all__ = ["digit_sums"]


def digit_sums(context: ReadContext, *, largest: int = 9) -> ExampleSet:
    """Read the digits, each with a number from 0 to ``largest``; the class is the sum.

    Args:
        context: its seed decides the numbers.
        largest: the largest number.
    """
    pictures = digits(context, phone=0)
    numbers = np.floor(uniform(context.seed, "beside", pictures.ids) * (largest + 1))
    joined = with_columns(pictures, numbers.astype(np.float32)[:, None], ["number"])
    sums = tuple(str(total) for total in range(9 + largest + 1))
    return ExampleSet(
        name="digit-sums",
        inputs=joined.inputs,
        targets=pictures.targets + numbers.astype(np.int64),
        classes=sums,
        labels=one_class(sums),
        ids=pictures.ids,
        sources=pictures.sources,
        metadata={
            "digit": np.array(pictures.classes)[pictures.targets],
            "number": numbers.astype(np.int64),
        },
        feature_names=joined.feature_names,
        notes=joined.notes,
    )
