"""One version of what decides numbers, on the driver and on every node of a cluster."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from gapwise.errors import UsageError

PACKAGES: Final = ("gapwise", "torch", "numpy")
"""What must have one version on the driver and on every node (FAULTS W3)."""


def check_versions(wanted: Mapping[str, str]) -> None:
    """Refuse to work for a driver of other versions than this node's.

    Raises:
        UsageError: they differ; names both.
    """
    here = versions()
    if here != wanted:
        raise UsageError(
            f"this node has {_told(here)}, the driver {_told(wanted)}; install one version "
            "everywhere"
        )


def versions() -> dict[str, str]:
    """Return the versions of what decides numbers, without what tells builds apart."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            found[name] = "none"
    return found


def _told(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items())
