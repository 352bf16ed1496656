"""Judging examples that stand in train too: a column of metadata that diagnoses read.

It is made once, when data is prepared, and only where there are any.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gapwise.data.assignment import Assignment
from gapwise.data.duplicates import equal_across
from gapwise.data.near import JUDGING, search_near
from gapwise.records import ALSO_IN_TRAIN, ExampleSet

MOST_COMPARISONS: Final = 1_000_000_000
"""Of difference hashes: about 4 seconds."""


def marked(examples: ExampleSet, assignment: Assignment) -> ExampleSet:
    """Return the examples with the column ``also_in_train``, or as they are where none is.

    It says of each example of dev, test and train-dev: ``equal`` (its very input is in train),
    ``nearly`` (a picture that nearly equals it is), "" (none is), or ``unknown`` (too many to
    look at all of them).
    """
    marks = np.full(len(examples), "", "U7")
    looked, near = search_near(examples, assignment, MOST_COMPARISONS)
    if len(looked):
        marks[_judging(assignment)] = "unknown"
        marks[looked] = ""
    marks[list(near)] = "nearly"
    for rows in equal_across(examples, assignment):
        splits = assignment.split[rows]
        if (splits == "train").any():
            marks[rows[splits != "train"]] = "equal"
    if not np.isin(marks, ("equal", "nearly")).any():
        return examples
    return replace(examples, metadata={**examples.metadata, ALSO_IN_TRAIN: marks})


def _judging(assignment: Assignment) -> NDArray[np.bool_]:
    return np.isin(assignment.split, JUDGING)
