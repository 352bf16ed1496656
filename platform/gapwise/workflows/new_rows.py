"""Rows of a new table as the features that a network was trained on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.data.features import MISSING
from gapwise.data.prepared import Prepared
from gapwise.data.table import Table
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.records import Quarantined

FLAG = " missing"


@dataclass(frozen=True, kw_only=True)
class NewRows:
    """Features (kept, features) float32 of some rows and columns, and the rows set aside."""

    values: NDArray[np.float32]
    kept: NDArray[np.int64]
    columns: frozenset[str]
    quarantine: tuple[Quarantined, ...]


def encode_as(prepared: Prepared, table: Table, ids: list[str]) -> NewRows:
    """Return the rows of ``table`` in the columns of ``prepared``.

    A row is set aside when it lacks a number where training lacked none, or has a category that
    training never met. A missing number becomes the median that training filled in.

    Raises:
        DataError: a column is missing, or a cell is no number.
    """
    faults: dict[int, tuple[str, str]] = {}
    values = np.zeros((len(table), len(prepared.feature_names)), dtype=np.float32)
    columns = _by_column(prepared.feature_names, table)
    for column, places in columns.items():
        if None in places:
            _fill_numbers(values, faults, prepared, table, column, places)
        else:
            _fill_categories(values, faults, table, column, places)
    quarantine = tuple(
        Quarantined(item=ids[row], code=code, reason=reason, where=table.place(row))
        for row, (code, reason) in sorted(faults.items())
    )
    kept = np.setdiff1d(np.arange(len(table)), np.array(sorted(faults), dtype=np.int64))
    return NewRows(
        values=values[kept], kept=kept, columns=frozenset(columns), quarantine=quarantine
    )


Places = dict[str | None, int]
"""Of one column: category → position among the features; of numbers: None, and ``FLAG``."""


def _by_column(features: tuple[str, ...], table: Table) -> dict[str, Places]:
    found: dict[str, Places] = {}
    for position, name in enumerate(features):
        column, category = _origin(name, table)
        found.setdefault(column, {})[category] = position
    return found


def _origin(feature: str, table: Table) -> tuple[str, str | None]:
    """Return the column that a feature was made from, and which category of it."""
    if feature in table.columns:
        return feature, None
    if feature.endswith(FLAG) and feature.removesuffix(FLAG) in table.columns:
        return feature.removesuffix(FLAG), FLAG
    for place, letter in enumerate(feature):
        if letter == "=" and feature[:place] in table.columns:
            return feature[:place], feature[place + 1 :]
    column = feature.partition("=")[0]
    raise DataError(
        f"{table.path} has no column {shown(column)}, which the network was trained on; "
        f"{did_you_mean(column, table.columns)}"
    )


def _fill_numbers(
    values: NDArray[np.float32],
    faults: dict[int, tuple[str, str]],
    prepared: Prepared,
    table: Table,
    column: str,
    places: Places,
) -> None:
    numbers = table.numbers(column)
    missing = np.isnan(numbers)
    number, flag = places[None], places.get(FLAG)
    if flag is not None and missing.any():
        known = prepared.inputs[:, flag] == 0
        numbers = np.where(missing, np.median(prepared.inputs[known, number]), numbers)
        values[:, flag] = missing
    elif missing.any():
        for row in np.flatnonzero(missing).tolist():
            faults[row] = ("missing", f"{column} is empty, and was never in training")
        numbers = np.where(missing, 0, numbers)
    values[:, number] = numbers


def _fill_categories(
    values: NDArray[np.float32],
    faults: dict[int, tuple[str, str]],
    table: Table,
    column: str,
    places: Places,
) -> None:
    for row, cell in enumerate(table.text(column)):
        category = "missing" if cell.strip() in MISSING else cell.strip()
        if category in places:
            values[row, places[category]] = 1
        else:
            faults[row] = ("new-category", f"{column} is {shown(category)}, unknown in training")
