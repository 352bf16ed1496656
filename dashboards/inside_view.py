"""The parts of *Networks* that need weights: filters, feature maps, what excites a unit most."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from dashboards import breakdown, carry, data, example_data, network_data, widgets
from dashboards.network_view import Chosen
from dashboards.text import safe, said
from gapwise.errors import DataError, GapwiseError
from gapwise.figures.activations import activations
from gapwise.figures.feature_maps import feature_maps
from gapwise.figures.filters import filters
from gapwise.figures.patches import patches as drawn_patches
from gapwise.figures.tiles import Tile, Window, tiles
from gapwise.workflows import look_inside
from gapwise.workflows.look_inside import MOST_SHOWN
from gapwise.workflows.opened_network import Inside, Layer

COLUMNS = 12
FEW = 8


def opened(found: Chosen) -> Inside | None:
    """Return the network with its weights; None, told why, where there is nothing to look at."""
    if not found.run_id:
        return None
    try:
        inside = network_data.inside(found.run_id)
    except GapwiseError as error:
        _nothing(f"Its weights cannot be read: {said(str(error))}.", found.again)
        return None
    if says := _undrawn(inside):
        _nothing(says)
        return None
    return inside


def _undrawn(inside: Inside) -> str:
    """Return why nothing of a network's weights is drawn, "" where something is."""
    if not inside.has_pictures:
        return (
            "Its examples are no pictures: first-layer filters, "
            "feature maps and exciting patches are not drawn. The layers stand below."
        )
    if not inside.ids:
        return "Dev holds no examples to show it; give `splits.dev` some and train again."
    return "" if inside.layers else "No layer of it gives maps or units, so none is drawn."


def _nothing(says: str, command: str = "") -> None:
    with widgets.card("weights", "What it has learned"):
        st.markdown(says)
        if command:
            st.code(command, language="bash")


def first_filters(inside: Inside) -> None:
    """The filters that the first layer learned, beside those that people made (notes 5.1)."""
    found = look_inside.first_layer(inside)
    left, right = st.columns([1, 2.2], gap="small")
    with left, widgets.card("handmade", "Made by hand", "Edge filters of notes 5.1", fill=True):
        widgets.chart(filters(look_inside.handmade(), columns=3), "handmade")
    note = safe(found.says)
    if found.units > len(found.filters) > 0:
        note += f" The first {len(found.filters)} of {found.units:,}."
    title = f"Learned by {safe(found.name)}"
    with right, widgets.card("learned", title, note, fill=True):
        if found.filters:
            few = len(found.filters) <= FEW
            widgets.chart(
                filters(found.filters, columns=FEW if few else COLUMNS, side=72 if few else 60),
                "learned",
            )
            st.caption("Red adds, blue subtracts; each on its own scale.")


def responses(inside: Inside) -> None:
    """A picture, and what a chosen layer makes of it."""
    left, right = st.columns([1, 2.9], gap="small")
    place = _place(inside)
    example_id = inside.ids[place]
    with right, widgets.card("maps", "What a layer makes of it", fill=True):
        layer = chosen_layer(inside)
        unit = _unit(layer)
        first = unit - unit % MOST_SHOWN
        found = network_data.response(inside, layer.name, example_id, first)
        names = _names(inside, layer, range(first, first + len(found.values)))
        if layer.has_maps:
            figure = feature_maps(
                found.values, names, lowest=found.lowest, most=found.most, chosen=unit - first
            )
        else:
            figure = activations(found.values.tolist(), names, chosen=unit - first)
        key = f"maps-{layer.name}-{first}"
        widgets.chart(figure, key, lambda place: carry.put(unit=str(first + place)))
        st.caption(_of_maps(layer, first, len(names), found.lowest))
    seen = look_inside.window(inside, layer, int(found.at[unit - first]))
    with left, widgets.card("example", "Example", fill=True):
        _example(inside, place, seen if layer.sees and layer.has_maps else None, unit)


def patches(inside: Inside) -> None:
    """The pieces of dev pictures that excite the chosen unit most (notes 8.2)."""
    layer = inside.layer(carry.get("layer") or "")
    unit = _unit(layer)
    found = network_data.strongest(inside, layer.name)
    with widgets.card("patches"):
        with st.container(horizontal=True, vertical_alignment="top"):
            name = _names(inside, layer, [unit])[0]
            title = f"### What excites unit {safe(name)} of {safe(layer.name)} most"
            st.markdown(f"{title}\n\n:gray[{_piece(layer)} {_looked(inside)}]", width="stretch")
            _choose_unit(layer, unit)
        best = look_inside.patches(inside, found, layer.name, unit)
        if best and best[0].activation == best[-1].activation == 0:
            st.markdown("It is 0 on every one of them: a dead unit, which no picture excites.")
            return
        widgets.chart(
            drawn_patches(best),
            f"patches-{layer.name}-{unit}",
            lambda place: carry.put(example=best[place].example_id),
        )
        st.caption("Choose a patch to see the whole picture above.")


def _place(inside: Inside) -> int:
    """Return the place in dev of the example that the URL names, 0 where it names none."""
    try:
        return inside.place(carry.get("example") or inside.ids[0])
    except DataError as error:
        st.warning(said(str(error)))
        carry.put(example=None)
        return 0


def _example(inside: Inside, place: int, window: Window | None, unit: int) -> None:
    """The picture, its label and what the network said; others can be chosen."""
    name = inside.ids[place]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for key, step, icon in (("before", -1, "arrow_back"), ("after", 1, "arrow_forward")):
            there = inside.ids[(place + step) % len(inside.ids)]
            st.button(
                "", key=f"example-{key}", icon=f":material/{icon}:", on_click=carry.put,
                kwargs={"example": there}, help="Previous" if step < 0 else "Next",
            )  # fmt: skip
        st.caption(f"{place + 1:,} of {len(inside.ids):,}")
    picture = example_data.picture(inside.run_id, name)
    if picture is not None:
        drawn = Tile(picture=np.asarray(picture, np.uint8), hover=[name], window=window)
        widgets.chart(tiles([drawn], columns=1, side=176), "example")
    if window:
        st.caption(f"Framed: where unit {unit} is highest")
    _label(inside.run_id, name)
    st.session_state["example-id"] = name
    st.text_input(
        "Example of dev", key="example-id", on_change=_typed, label_visibility="collapsed"
    )


def _typed() -> None:
    carry.put(example=st.session_state["example-id"].strip() or None)


def _label(run_id: str, name: str) -> None:
    try:
        found = breakdown.named(data.predictions(run_id, "dev"), [name])
    except GapwiseError:
        return
    for one in found:
        tone = "green" if one.target == one.predicted else "red"
        sure = "" if one.sure is None else f" :gray[{100 * one.sure:.0f} % sure]"
        st.markdown(f"**{safe(one.target)}** :gray[→] :{tone}[**{safe(one.predicted)}**]{sure}")


def chosen_layer(inside: Inside) -> Layer:
    """Let people choose a layer; the first with maps at first."""
    known = {one.name: one for one in inside.layers}
    default = next((one.name for one in inside.layers if one.has_maps), next(iter(known)))
    current = carry.get("layer")
    current = current if current in known else default
    carry.put(layer=current)
    st.session_state["layer"] = current

    def changed() -> None:
        carry.put(layer=st.session_state["layer"], unit=None)

    st.select_slider(
        "Layer", list(known), key="layer", on_change=changed, label_visibility="collapsed",
        format_func=lambda name: f"{name} · {known[name].kind}",
    )  # fmt: skip
    return known[current]


def _unit(layer: Layer) -> int:
    """Return the chosen unit, 0 where the URL names none of this layer."""
    wanted = carry.get("unit") or "0"
    return int(wanted) if wanted.isdecimal() and int(wanted) < layer.units else 0


def _choose_unit(layer: Layer, unit: int) -> None:
    st.session_state["unit"] = unit

    def changed() -> None:
        carry.put(unit=str(st.session_state["unit"]))

    st.number_input(
        f"Unit, 0 to {layer.units - 1:,}", 0, layer.units - 1, key="unit", on_change=changed,
        width=150, label_visibility="collapsed", help=f"0 to {layer.units - 1:,}",
    )  # fmt: skip


def _names(inside: Inside, layer: Layer, units: Sequence[int]) -> list[str]:
    """Return what units are called: those of the last layer by their classes."""
    last = layer.name == inside.layers[-1].name
    known = inside.outputs if last else ()
    return [known[unit] if known else str(unit) for unit in units]


def _of_maps(layer: Layer, first: int, count: int, lowest: float) -> str:
    whole = (
        f"{count}" if count == layer.units else f"{first}–{first + count - 1} of {layer.units:,}"
    )
    if not layer.has_maps:
        return f"Units {whole}. Choose a bar to see what excites its unit."
    scale = "White is 0, red above, blue below" if lowest < 0 else "Black is 0"
    return f"Units: {whole}, on one scale. {scale}. Choose a map to see what excites its unit."


def _piece(layer: Layer) -> str:
    if layer.sees is None or not layer.has_maps:
        return "It sees the whole picture."
    return f"It sees {'×'.join(map(str, layer.sees.size))} pixels at a time."


def _looked(inside: Inside) -> str:
    count, n = len(inside.looked_at()), len(inside.ids)
    if count == n:
        return f"The strongest of all {n:,} pictures of dev (notes 8.2)."
    return f"The strongest of {count:,} pictures, spread evenly over the {n:,} of dev (notes 8.2)."
