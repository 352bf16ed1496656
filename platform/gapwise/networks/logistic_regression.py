"""Logistic regression (notes 1.1, 1.2)."""

from typing import ClassVar

from gapwise.networks._polynomial import LinearUnits
from gapwise.networks.base import Published

__all__ = ["LogisticRegression"]


class LogisticRegression(LinearUnits):
    """One logistic unit a class on the inputs, and on their products up to ``degree``.

    The outputs are the units' z = θᵀx; the sigmoid of notes 1.2, or the softmax over several units
    (3.17), is the task's matter.

    Args:
        input_shape: shape of one example; images are flattened.
        outputs: units, one a class; one alone gives (batch, 1), never (batch,).
        degree: 1 takes the inputs as they are; 2 adds their products and squares, and so on. Their
            count rises quickly: 100 inputs have 5,150 up to degree 2 and 176,850 up to 3.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="logistic-regression",
            input_shape=(1, 28, 28),
            outputs=10,
            notes="1.2",
            parameters=7_850,
            macs=7_840,
        ),
        Published(
            name="logistic-quadratic",
            input_shape=(100,),
            outputs=1,
            options={"degree": 2},
            notes="1.1",
            parameters=5_151,
            macs=5_150,
        ),
        Published(
            name="logistic-cubic",
            input_shape=(100,),
            outputs=1,
            options={"degree": 3},
            notes="1.1",
            parameters=176_851,
            macs=176_850,
        ),
    )

    def __init__(self, *, input_shape: tuple[int, ...], outputs: int, degree: int = 1) -> None:
        super().__init__(
            name="logistic-regression", input_shape=input_shape, outputs=outputs, degree=degree
        )
