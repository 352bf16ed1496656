"""The pages, found by their file names: ``<section>_<place>_<name>.py`` in ``pages/``."""

import re
from pathlib import Path
from typing import Final

import streamlit as st

from dashboards import carry
from dashboards.carry import CARRIED

SECTIONS: Final = ("decide", "data", "train", "team")
FOLDER: Final = Path(__file__).parent.absolute() / "pages"

_NAME = re.compile(r"(?P<section>[a-z]+)_(?P<place>\d+)_(?P<name>[a-z_]+)")


def found() -> dict[str, list[tuple[str, Path]]]:
    """Return section → its pages as (name, file), both in their order."""
    sections: dict[str, list[tuple[str, Path]]] = {}
    parsed = [(_NAME.fullmatch(file.stem), file) for file in FOLDER.glob("*.py")]
    known = [(match, file) for match, file in parsed if match and match["section"] in SECTIONS]
    for match, file in sorted(known, key=lambda item: _order(item[0])):
        sections.setdefault(match["section"].title(), []).append((match["name"], file))
    return sections


def pages() -> dict[str, list[st.Page]]:
    """Return what ``st.navigation`` takes; the first page is the default."""
    made: dict[str, list[st.Page]] = {}
    for section, members in found().items():
        made[section] = [
            st.Page(
                file,
                title=name.replace("_", " ").capitalize(),
                url_path=name.replace("_", "-"),
                default=section == "Decide" and place == 0,
            )
            for place, (name, file) in enumerate(members)
        ]
    st.session_state["pages"] = {page.title: page for members in made.values() for page in members}
    return made


def go(title: str, **values: str | None) -> None:
    """Open another page with values in the URL, None takes one away.

    A page that runs alone only takes the values.
    """
    page = st.session_state.get("pages", {}).get(title)
    carry.put(**values)
    if page is not None:
        kept = {name: carry.get(name) for name in (*CARRIED, *values)}
        known = {name: value for name, value in kept.items() if value is not None}
        st.switch_page(page, query_params=known)


def _order(match: re.Match[str]) -> tuple[int, int]:
    return SECTIONS.index(match["section"]), int(match["place"])
