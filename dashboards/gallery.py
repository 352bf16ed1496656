"""A grid of examples with their pictures: a component of our own, text as text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards import example_data, pictures
from dashboards.breakdown import Example

_HERE = Path(__file__).parent.absolute()


def gallery(run_id: str, examples: Sequence[Example], key: str) -> None:
    """Show examples of a run: label → what the network said, how sure it was, where it is from."""
    items = [_item(one, run_id, label=one.target, note=_note(one)) for one in examples]
    _show(run_id, items, key)


def flipped(run_id: str, a: Sequence[Example], b: Sequence[Example], key: str) -> None:
    """Show examples that two runs see differently: what A said → what B said, and the label."""
    items = [
        _item(two, run_id, label=one.predicted, note=f"label {two.target}")
        for one, two in zip(a, b, strict=True)
    ]
    _show(run_id, items, key)


def _item(one: Example, run_id: str, *, label: str, note: str) -> dict[str, Any]:
    return {
        "picture": pictures.address(run_id, one.example_id),
        "label": label,
        "said": one.predicted,
        "right": one.target == one.predicted,
        "note": note,
        "title": one.example_id,
    }


def _show(run_id: str, items: list[dict[str, Any]], key: str) -> None:
    if not example_data.has_pictures(run_id):
        items = [item | {"picture": "", "note": item["title"]} for item in items]
    _component()(data={"items": items}, key=key)


def _note(one: Example) -> str:
    return " · ".join(filter(None, (_sure(one), one.source)))


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
