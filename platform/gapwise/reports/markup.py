"""HTML and SVG built from Python: text is escaped unless this module made it."""

import re
from html import escape
from typing import Final

_VOID: Final = {"meta", "img", "br", "line", "rect", "circle", "path"}
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Content = str | Markup | None


def tag(name: str, /, *content: Content, **attributes: object) -> Markup:
    """Return an element; contents that are no markup are escaped, as attributes are.

    ``class_`` is the attribute ``class``; an underscore elsewhere is a hyphen; None leaves an
    attribute out.
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_safe(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{shown}>" if name in ("meta", "img", "br") else f"<{name}{shown}/>")
    return Markup(f"<{name}{shown}>{joined(*content)}</{name}>")


def joined(*content: Content) -> Markup:
    """Return contents one after the other, escaped where they are no markup."""
    return Markup("".join(c if isinstance(c, Markup) else _safe(c or "") for c in content))


def _safe(text: str) -> str:
    return escape(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text))
