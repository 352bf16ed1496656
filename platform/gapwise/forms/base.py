"""The family of forms: what targets are that are neither a class, a number nor several labels.

Everything outside a task that must know what a target looks like asks its form: the checks of data,
the draw of splits, the report on data, the predictions table, pages. Needs numpy alone.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gapwise.labels import Labels
from gapwise.registry import Family

UNKNOWN_CLASS = -1

Wrong = tuple[NDArray[np.bool_], str]
"""Which examples are wrong, (n,), and what each should be."""


class Form(ABC):
    """One form of targets; its file's stem is ``Labels.kind``.

    In memory and in prepared data targets are numbers in an array, places counted in pixels from
    the picture's upper left corner. In the predictions table and on pages they are JSON text.
    """

    told: ClassVar[str]
    """What an example has, as ``boxes around objects``."""

    dtype: ClassVar[np.dtype[Any]]

    @abstractmethod
    def shape(self, labels: Labels, targets: NDArray[Any]) -> tuple[int, ...]:
        """Return the shape that targets as many as these must have."""

    @abstractmethod
    def wrong(self, labels: Labels, targets: NDArray[Any]) -> list[Wrong]:
        """Return what is wrong with targets of the right shape; nothing where all is well."""

    @abstractmethod
    def text(self, labels: Labels, values: NDArray[Any]) -> NDArray[np.str_]:
        """Return targets or predictions, (n, …), as (n,) JSON."""

    @abstractmethod
    def words(self, labels: Labels, text: str) -> str:
        """Return what one JSON says, in a few words for people."""

    @abstractmethod
    def classes(self, labels: Labels, targets: NDArray[Any]) -> NDArray[np.int64] | None:
        """Return the classes that each example shows, (n, m), -1 for none; None without classes."""

    @abstractmethod
    def buckets(
        self, labels: Labels, targets: NDArray[Any]
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return what draws are stratified by: a bucket for each example, (n,), and their names."""

    @abstractmethod
    def unknown(self, labels: Labels, count: int) -> NDArray[Any]:
        """Return targets of ``count`` examples of which nothing is known."""

    @abstractmethod
    def known(self, labels: Labels, targets: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which examples have a target, (n,)."""


FORMS: Family[type[Form]] = Family("gapwise.forms", "form of targets")


def form_of(labels: Labels) -> Form:
    """Return the form of targets that ``labels`` tell to be drawn."""
    return FORMS.get(labels.kind)()
