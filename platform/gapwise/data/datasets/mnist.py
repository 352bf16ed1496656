"""MNIST (LeCun, Cortes and Burges, 1998): 70,000 handwritten digits of 28×28 pixels."""

from gapwise.data.base import ReadContext
from gapwise.data.datasets._mnist_like import read_parts, remotes
from gapwise.records import ExampleSet

__all__ = ["mnist"]

PARTS = remotes(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    {
        "train-images-idx3-ubyte.gz": (
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        "train-labels-idx1-ubyte.gz": (
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        "t10k-images-idx3-ubyte.gz": (
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        "t10k-labels-idx1-ubyte.gz": (
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    },
)


def mnist(context: ReadContext) -> ExampleSet:
    """Read both official parts, pooled: inputs (70000, 1, 28, 28) uint8."""
    return read_parts(context, "mnist", PARTS, [str(digit) for digit in range(10)])
