"""What a resolved pipeline holds at a dotted key, the options that went without saying included."""

from collections.abc import Mapping
from typing import Any

from gapwise.networks.base import NETWORKS
from gapwise.registry import Family
from gapwise.tasks.base import TASKS
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.training.schedules.base import SCHEDULES

MISSING: Any = object()
"""Where there is no such key."""

_FAMILIES: Mapping[str, Family[Any]] = {
    "network": NETWORKS,
    "task": TASKS,
    "training.optimizer": OPTIMIZERS,
    "training.schedule": SCHEDULES,
}


def value_at(resolved: Mapping[str, Any], key: str) -> Any:
    """Return what a resolved pipeline holds at a dotted key, options of parts by their defaults."""
    *sections, last = key.split(".")
    place: Any = resolved
    for section in sections:
        place = place.get(section) if isinstance(place, Mapping) else None
    if not isinstance(place, Mapping):
        return MISSING
    if last in place:
        return place[last]
    family = _FAMILIES.get(".".join(sections))
    options = {} if family is None else family.options(place["name"])
    return options[last].default if last in options else MISSING
