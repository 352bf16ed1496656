"""A picture of a digit and a number beside it: is the digit the larger?

The picture alone, or the number alone, tells only how likely it is. The pictures are scikit-learn's
real digits, each used once; the number is drawn for each example.
"""

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.datasets.digits import digits
from gapwise.data.hybrid import with_columns
from gapwise.data.keyed import uniform
from gapwise.labels import one_class
from gapwise.records import ExampleSet

__all__ = ["digit_and_number"]

CLASSES = ("not larger", "larger")


def digit_and_number(context: ReadContext) -> ExampleSet:
    """Read the digits, each with a number from 0 to 9 beside it.

    Args:
        context: its seed decides the numbers.
    """
    pictures = digits(context, phone=0)
    numbers = np.floor(uniform(context.seed, "beside", pictures.ids) * 10)
    joined = with_columns(pictures, numbers.astype(np.float32)[:, None], ["number"])
    return ExampleSet(
        name="digit-and-number",
        inputs=joined.inputs,
        targets=(pictures.targets > numbers).astype(np.int64),
        classes=CLASSES,
        labels=one_class(CLASSES),
        ids=pictures.ids,
        sources=pictures.sources,
        metadata={
            "digit": np.array(pictures.classes)[pictures.targets],
            "number": numbers.astype(np.int64),
        },
        feature_names=joined.feature_names,
        notes=joined.notes,
    )
