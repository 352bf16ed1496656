"""What every section of a pipeline file is made of."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Part(BaseModel):
    """A registered part by name, with its options beside the name; a bare string is a name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$",
        description="Name of a registered part; code is never named here.",
    )
    _places: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> Mapping[str, Any]:
        """The options beside the name."""
        return self.__pydantic_extra__ or {}

    @property
    def places(self) -> dict[str, str]:
        """Where the part ("") and each option were written, as ``file:line:column``, if known."""
        return self._places

    def __eq__(self, other: object) -> bool:
        """Whether name and options are equal, wherever they were written."""
        return isinstance(other, Part) and self.name == other.name and self.options == other.options

    __hash__ = None  # type: ignore[assignment]
