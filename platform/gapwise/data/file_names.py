"""What files are called tells what they are: columns out of names, by a regular expression."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, PipelineError, did_you_mean


def named(
    names: Sequence[str], pattern: str | None, wanted: Sequence[str] = ()
) -> Mapping[str, NDArray[np.str_]]:
    """Return column → its value for each file, ``label`` among them.

    Raises:
        DataError: a file's name does not fit the pattern.
        PipelineError: the pattern is no regular expression, or lacks a group that is wanted.
    """
    if pattern is None:
        found: list[Mapping[str, str]] = [{"label": Path(name).parent.name} for name in names]
        known: set[str] = {"label"}
    else:
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise PipelineError(
                f"data.dataset.pattern is no regular expression ({error}); mend it"
            ) from error
        known = set(compiled.groupindex)
        found = [_matched(compiled, name) for name in names]
    for column in ("label", *wanted):
        if column not in known:
            raise PipelineError(
                f"data.dataset.pattern has no group {column!r}; write (?P<{column}>…), or "
                f"{did_you_mean(column, known)}"
            )
    return {column: np.array([one[column] for one in found]) for column in sorted(known)}


def _matched(pattern: re.Pattern[str], name: str) -> Mapping[str, str]:
    match = pattern.fullmatch(Path(name).stem)
    if match is None:
        raise DataError(
            f"{name} does not fit data.dataset.pattern {pattern.pattern!r}; rename it, or change "
            "the pattern"
        )
    return {column: value or "" for column, value in match.groupdict().items()}
