"""Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): 70,000 pictures of clothes, 28×28 pixels."""

from gapwise.data.base import ReadContext
from gapwise.data.datasets._mnist_like import read_parts, remotes
from gapwise.records import ExampleSet

__all__ = ["fashion_mnist"]

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

PARTS = remotes(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    {
        "train-images-idx3-ubyte.gz": (
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        "train-labels-idx1-ubyte.gz": (
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        "t10k-images-idx3-ubyte.gz": (
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        "t10k-labels-idx1-ubyte.gz": (
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    },
)


def fashion_mnist(context: ReadContext) -> ExampleSet:
    """Read both official parts, pooled: inputs (70000, 1, 28, 28) uint8."""
    return read_parts(context, "fashion-mnist", PARTS, CLASSES)
