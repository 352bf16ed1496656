"""MNIST and USPS side by side: the same ten digits from two worlds, a real data mismatch."""

from dataclasses import replace

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.datasets.mnist import mnist
from gapwise.data.datasets.usps import usps
from gapwise.records import ExampleSet

__all__ = ["mnist_to_usps"]


def mnist_to_usps(context: ReadContext) -> ExampleSet:
    """Read both sets: sources ``mnist`` (70,000) and ``usps`` (9,298), images of 28×28."""
    first, second = mnist(context), usps(context)
    parts = [first.metadata["official_part"], second.metadata["official_part"]]
    note = "USPS's two official parts are pooled before dev and test are drawn."
    return replace(
        first,
        name="mnist-to-usps",
        inputs=np.concatenate([first.inputs, second.inputs]),
        targets=np.concatenate([first.targets, second.targets]),
        ids=np.concatenate([first.ids, second.ids]),
        sources=np.concatenate([first.sources, second.sources]),
        metadata={"official_part": np.concatenate(parts)},
        notes=(note,),
    )
