"""Linear regression (notes 1.1)."""

from typing import ClassVar

from gapwise.networks._polynomial import LinearUnits
from gapwise.networks.base import Published

__all__ = ["LinearRegression"]


class LinearRegression(LinearUnits):
    """A weighted sum of the inputs, and of their products up to ``degree``, for each output.

    With one output and task ``regress`` it is linear regression; there is nothing behind the sum.

    Args:
        input_shape: shape of one example; images are flattened.
        outputs: numbers to predict; one gives (batch, 1), never (batch,).
        degree: 1 takes the inputs as they are; 2 adds their products and squares, and so on. Their
            count rises quickly: 100 inputs have 5,150 up to degree 2 and 176,850 up to 3.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="linear-regression",
            input_shape=(8,),
            outputs=1,
            notes="1.1",
            parameters=9,
            macs=8,
        ),
        Published(
            name="linear-quadratic",
            input_shape=(8,),
            outputs=1,
            options={"degree": 2},
            notes="1.1",
            parameters=45,
            macs=44,
        ),
    )

    def __init__(self, *, input_shape: tuple[int, ...], outputs: int, degree: int = 1) -> None:
        super().__init__(
            name="linear-regression", input_shape=input_shape, outputs=outputs, degree=degree
        )
