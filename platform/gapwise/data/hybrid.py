"""Examples that are a picture and columns of numbers: one row, the pixels first."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gapwise.data.looks import pixel_names
from gapwise.records import ExampleSet


def with_columns(
    examples: ExampleSet, columns: NDArray[np.float32], names: Sequence[str]
) -> ExampleSet:
    """Return pictures with columns beside them, as rows.

    Args:
        examples: pictures (n, channels, height, width).
        columns: (n, k) float32.
        names: of the k columns.
    """
    channels, height, width = examples.inputs.shape[1:]
    pixels = examples.inputs.reshape(len(examples), -1).astype(np.float32)
    return replace(
        examples,
        inputs=np.concatenate([pixels, columns], axis=1),
        feature_names=(*pixel_names((channels, height, width)), *names),
        notes=(
            *examples.notes,
            f"An example is a picture and {', '.join(names[:5])}: set network hybrid with picture: "
            f"[{channels}, {height}, {width}]",
        ),
    )
