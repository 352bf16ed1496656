"""A dataset that was read from a secret path: what of it is kept with a run (FAULTS Y7)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gapwise.data.prepared import Prepared
from gapwise.errors import redacted, secrets_known


def hide_secrets(prepared: Prepared) -> None:
    """Make names that a dataset took from a secret path say the reference instead.

    Changes what this opened ``prepared`` tells, not its folder: the cache must find the files.
    """
    if not secrets_known():
        return
    prepared.name = redacted(prepared.name)
    prepared.media_root = redacted(prepared.media_root)
    prepared.notes = tuple(map(redacted, prepared.notes))
    prepared.quarantine = tuple(
        replace(item, **{k: redacted(v) for k, v in vars(item).items() if isinstance(v, str)})
        for item in prepared.quarantine
    )
    prepared.sources = _redacted(prepared.sources)
    prepared.ids = _redacted(prepared.ids)


def _redacted(values: NDArray[np.str_]) -> NDArray[np.str_]:
    return np.array([redacted(value) for value in values.tolist()], dtype=np.str_)
