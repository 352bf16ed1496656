"""Name → part: how a family finds its members, built in or plugged in.

A family is a package with one file a member. The file's stem is the member's name (``small_cnn.py``
is ``small-cnn``) and its ``__all__`` names the part. No members are ``base``, files that begin with
``_`` and those that the package lists as ``HELPERS``. Built-in packages and plug-ins enter by one
door: an entry point in the family's group (``gapwise.networks``, say) whose value is the package.
"""

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from gapwise.errors import PipelineError, did_you_mean

Part = TypeVar("Part")


@dataclass(frozen=True)
class Family(Generic[Part]):
    """The members of one entry-point group, found by name and imported only when asked for."""

    group: str
    noun: str

    def names(self) -> list[str]:
        """Return the members' names in alphabetical order, importing none of them."""
        return sorted(self._modules)

    def get(self, name: str) -> Part:
        """Return the member called ``name``.

        Raises:
            PipelineError: no member has that name.
        """
        module_name = self._modules.get(name)
        if module_name is None:
            help_ = did_you_mean(name, self._modules)
            raise PipelineError(f"{self.noun} {name!r} is not known; {help_}")
        module = importlib.import_module(module_name)
        part: Part = getattr(module, module.__all__[0])
        return part

    def options(self, name: str) -> Mapping[str, inspect.Parameter]:
        """Return the keyword-only parameters of a member: what a pipeline may set on it."""
        part: Any = self.get(name)
        parameters = inspect.signature(part).parameters.values()
        return {p.name: p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}

    def __iter__(self) -> Iterator[tuple[str, Part]]:
        """Give every member with its name, importing each."""
        return ((name, self.get(name)) for name in self.names())

    @cached_property
    def _modules(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in entry_points(group=self.group):
            if importlib.util.find_spec(entry.value) is None:
                continue
            package = importlib.import_module(entry.value)
            helpers = {"base", *getattr(package, "HELPERS", ())}
            for module in pkgutil.iter_modules(package.__path__):
                if not module.name.startswith("_") and module.name not in helpers:
                    found[module.name.replace("_", "-")] = f"{entry.value}.{module.name}"
        return found
