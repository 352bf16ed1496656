"""What a checkpoint was trained with, so that no other training goes on from it unnoticed."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from json import dumps
from pathlib import Path
from typing import Any

import torch

from gapwise.data.prepared import Prepared
from gapwise.errors import UsageError, shown
from gapwise.records import Job, plain
from gapwise.training.recipe import Recipe

# What decides when and how long, not which weights.
_FREE = ("checkpoint_seconds", "early_stopping")

PACKAGE = Path(__file__).parents[1]

# The code that decides numbers; pages, commands and tracking may change under a run.
_DECIDING = (
    *("networks", "tasks", "training", "metrics"),
    *("labels.py", "records.py", "data/prepared.py"),
)


def identity(job: Job, recipe: Recipe, prepared: Prepared) -> dict[str, Any]:
    """Return everything that decides the weights, as a flat mapping of dotted keys."""
    facts = {
        "recipe": {k: v for k, v in asdict(recipe).items() if k not in _FREE},
        "plan": asdict(job.plan),
        "seed": job.seed,
        "data": prepared.digest,
        "start": job.start_digest,
        "code": code_digest(PACKAGE),
        "version": {"torch": torch.__version__, "gapwise": version("gapwise")},
    }
    return dict(_flat("", plain(facts)))


@cache
def code_digest(package: Path) -> str:
    """Return the sha256 of the sources that decide numbers, read once a process (FAULTS T8).

    A checkout is edited without a new version, so the version alone does not tell.
    """
    hasher = sha256()
    for name in _DECIDING:
        place = package / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            hasher.update(f"{path.relative_to(package).as_posix()}\0".encode())
            hasher.update(sha256(path.read_bytes()).digest())
    return hasher.hexdigest()


def check_same(saved: Mapping[str, Any], now: Mapping[str, Any], folder: str) -> None:
    """Refuse to go on from a checkpoint that was trained otherwise.

    Raises:
        UsageError: something differs; names the keys, both values and both digests.
    """
    keys = sorted(k for k in saved.keys() | now.keys() if saved.get(k) != now.get(k))
    if not keys:
        return
    changes = ", ".join(f"{k}: {shown(saved.get(k))} → {shown(now.get(k))}" for k in keys)
    raise UsageError(
        f"{folder} was trained otherwise ({changes}; digests {digest(saved)[:12]} → "
        f"{digest(now)[:12]}); start a new run, or go on all the same with --force"
    )


def digest(facts: Mapping[str, Any]) -> str:
    """Return the sha256 of an identity."""
    return sha256(dumps(facts, sort_keys=True).encode()).hexdigest()


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else name, item)
    else:
        yield prefix, value
