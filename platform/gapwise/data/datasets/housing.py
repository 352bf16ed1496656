"""California housing (Pace and Barry, 1997; Géron's copy): home features → the median price.

20,640 block groups of the 1990 US census. 207 values of ``total_bedrooms`` are missing: they
become the column's median, and the feature ``total_bedrooms missing`` marks them. The median is
taken over all rows, dev and test too, which leaks nothing that counts: a linear layer can move the
filled rows anywhere by the marker's weight, so every other constant would give the same networks.
"""

import numpy as np

from gapwise.data.arrays import numbered
from gapwise.data.base import ReadContext
from gapwise.data.features import encode
from gapwise.data.remote import Remote, fetch
from gapwise.data.table import read_table
from gapwise.labels import Labels
from gapwise.records import ExampleSet

__all__ = ["housing"]

REMOTE = Remote(
    folder="housing-california",
    name="housing.csv",
    url="https://raw.githubusercontent.com/ageron/handson-ml2/master/datasets/housing/housing.csv",
    sha256="8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e",
    size=1_423_529,
)
LABEL = "median_house_value"
CATEGORICAL = ("ocean_proximity",)
CAP = 500_001
"""The census wrote every price above 500,000 so."""


def housing(context: ReadContext) -> ExampleSet:
    """Read all rows: 8 numbers, a marker of what was missing, and the nearness of the ocean.

    The target is the median house value in dollars. Whether it is capped (965 rows) and how near
    the ocean is stay as metadata, for slicing.
    """
    table = read_table(fetch(context.settings, REMOTE))
    encoded = encode(table, [name for name in table.columns if name != LABEL], CATEGORICAL)
    prices = table.numbers(LABEL)
    capped = prices >= CAP
    count = len(table)
    return ExampleSet(
        name="housing",
        inputs=encoded.values,
        targets=prices.astype(np.float32),
        labels=Labels(kind="number", names=(LABEL,), unit="dollars"),
        ids=numbered("housing", count),
        sources=np.full(count, "housing"),
        metadata={
            "capped": np.where(capped, "capped", "exact"),
            "ocean_proximity": np.array(table.text("ocean_proximity")),
        },
        feature_names=encoded.names,
        notes=(
            *encoded.notes,
            f"{int(capped.sum())} prices are capped at {CAP:,} dollars, so what is really higher "
            "counts as that: slice by the column capped.",
            "Neighbouring block groups stand in different splits: the errors are those of a new "
            "block group among known ones, not of a new region.",
        ),
    )
