"""A grid of examples with their pictures: a component of our own, text as text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards import data, pictures
from dashboards.breakdown import Example

_HERE = Path(__file__).parent.absolute()


def gallery(run_id: str, examples: Sequence[Example], key: str) -> None:
    """Show examples of a run: label → what the network said, how sure it was, where it is from."""
    drawable = data.has_pictures(run_id)
    items = [
        {
            "picture": pictures.address(run_id, one.example_id) if drawable else "",
            "label": one.target,
            "said": one.predicted,
            "right": one.target == one.predicted,
            "note": " · ".join(filter(None, (_sure(one), one.source))),
            "title": one.example_id,
        }
        for one in examples
    ]
    _component()(data={"items": items}, key=key)


def _sure(one: Example) -> str:
    if one.sure is not None:
        return f"{100 * one.sure:.0f} % sure"
    return "" if one.loss is None else f"loss {one.loss:.2f}"


def _component() -> Any:
    return st.components.v2.component(
        "gapwise_gallery",
        html='<div class="grid"></div>',
        css=(_HERE / "gallery.css").read_text(encoding="utf-8"),
        js=(_HERE / "gallery.js").read_text(encoding="utf-8"),
    )
