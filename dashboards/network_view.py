"""The parts of *Networks* that need no weights: choice, totals, drawing, layer table."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from dashboards import carry, data, experiment, network_data, widgets
from dashboards.text import safe, said
from gapwise.errors import GapwiseError
from gapwise.figures import words
from gapwise.figures.architecture import architecture
from gapwise.networks.describe import Layer
from gapwise.workflows.architecture import Architecture

WAYS: Final = {"run": "A trained run", "network": "Any network"}
WIDE: Final = 13


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What is looked at.

    Attributes:
        run_id: the run whose network it is, "" for one that nobody has trained.
        title: the run's or the network's name.
        facts: what stands below the title.
        described: the network.
        again: the command that trains it anew, "" where nobody has trained it.
    """

    run_id: str
    title: str
    facts: str
    described: Architecture
    again: str = ""


def chosen() -> Chosen | None:
    """Let people choose a run or a network; None, told why, where there is nothing to show."""
    experiments = network_data.experiments()
    with widgets.chips("networks"):
        way = _way(bool(experiments))
        if way == "network":
            name = carry.choose("network", network_data.sizes(), lambda n: f"Network  {n}")
        elif experiments:
            name = _run(experiments)
    if way == "network":
        return _of_size(name, lonely=not experiments)
    return _of_run(name) if experiments else None


def head(found: Chosen) -> None:
    """The name and the facts."""
    with st.container(key="head", gap=None):
        st.markdown(f"# {safe(found.title)}")
        st.markdown(f":gray[{found.facts}]")


def totals(found: Chosen) -> None:
    """Parameters, multiply-accumulates, receptive field, and where the notes have it."""
    made = found.described
    columns = st.columns(4, gap="small")
    with columns[0]:
        note = f"trainable; {_bytes(4 * made.parameters)} in single precision"
        widgets.tile("parameters", "Parameters", f"{made.parameters:,}", note)
    with columns[1]:
        note = f"{made.macs:,} in one forward pass"
        widgets.tile("macs", "Multiply-accumulates", amount(made.macs), note)
    with columns[2]:
        widgets.tile("sees", "Receptive field", *_sees(made))
    with columns[3]:
        note = f"published sizes: `gapwise networks {made.name}`"
        widgets.tile("notes", "Section of the notes", made.notes or "–", note)


def drawing(found: Chosen) -> None:
    """The architecture."""
    made = found.described
    note = (
        "Above: height × width and **channels**, or the units of a dense layer. A block is as high "
        "as its maps and as wide as their number; equal ones in a row are one with a count."
    )
    with widgets.card("drawing", "Architecture", note):
        wide = len(made.blocks) > WIDE
        with st.container(key="scroll-drawing" if wide else None):
            widgets.chart(architecture(made.blocks), "architecture")


def table(found: Chosen) -> None:
    """The layers, one row a layer."""
    rows = found.described.layers
    with widgets.card("layers", "Layers", words.count(len(rows), "layer")):
        shown: dict[str, list[Any]] = {
            "layer": [row.name for row in rows],
            "kind": [row.kind for row in rows],
            "output": [_size(row.output_shape) for row in rows],
            "parameters": [row.parameters for row in rows],
            "multiply-accumulates": [row.macs for row in rows],
            "sees, pixels": [_field(row) for row in rows],
            "step, pixels": [_step(row) for row in rows],
        }
        number = st.column_config.NumberColumn(format="localized")
        st.dataframe(
            shown,
            hide_index=True,
            height=min(560, 35 * (len(rows) + 1) + 3),
            key="layers",
            column_config={"parameters": number, "multiply-accumulates": number},
        )


def amount(number: int) -> str:
    """Return a large count in short: 416 k, 0.30 G."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def _way(has_runs: bool) -> str:
    current = "network" if carry.get("network") or not has_runs else "run"
    st.session_state["way"] = current

    def changed() -> None:
        first = network_data.sizes()[0] if st.session_state["way"] == "network" else None
        carry.put(network=first, layer=None, unit=None)

    st.segmented_control(
        "what to look at", list(WAYS), key="way", format_func=lambda way: WAYS[way],
        label_visibility="collapsed", required=True, on_change=changed,
    )  # fmt: skip
    return current


def _run(experiments: list[str]) -> str:
    forgets = ("run", "other", "layer", "unit", "example")
    known = network_data.trained(experiment.choose(experiments, forgets))
    wanted = data.newest_of(carry.get("run"))
    carry.put(run=wanted if wanted in known else next(iter(known)))
    return carry.choose(
        "run", list(known), lambda key: f"Run  {known[key]}", width=330, forgets=forgets[1:]
    )


def _of_size(name: str, *, lonely: bool) -> Chosen:
    made = network_data.of_size(name)
    if lonely:
        _lonely()
    facts = f"{_inputs(made)} → {words.count(made.outputs, 'output')} · not trained"
    return Chosen(run_id="", title=name, facts=facts, described=made)


def _lonely() -> None:
    with widgets.card("empty"):
        st.markdown("Train a network, and its filters, feature maps and patches stand here too.")
        st.code(widgets.TRAIN, language="bash")


def _of_run(run_id: str) -> Chosen | None:
    run = data.run(run_id)
    try:
        made = network_data.of_run(run_id)
    except GapwiseError as error:
        widgets.empty("This run's network is not here", said(str(error)), widgets.TRAIN)
        return None
    seed = f"seed {run.seed} · " if run.seed is not None else ""
    facts = f"{safe(run.name)} · {seed}{safe(run.dataset)} · {_inputs(made)} → "
    facts += words.count(made.outputs, "output")
    again = f"gapwise train {shlex.quote(run.experiment)}"
    return Chosen(run_id=run_id, title=made.name, facts=facts, described=made, again=again)


def _inputs(made: Architecture) -> str:
    if len(made.input_shape) == 1:
        return words.count(made.input_shape[0], "feature")
    return _size(made.input_shape)


def _size(shape: Iterable[int]) -> str:
    return "×".join(f"{n:,}" for n in shape)


def _field(row: Layer) -> str:
    if row.receptive_field is None:
        return "everything" if row.output_shape else "in training alone"
    return _size(row.receptive_field.size)


def _sees(made: Architecture) -> tuple[str, str]:
    maps = [row for row in made.layers if row.receptive_field and row.output_shape[1:] != (1, 1)]
    if not maps:
        return "everything", "each unit sees the whole input"
    field = maps[-1].receptive_field
    sizes = field.size if field else ()
    whole = all(n >= side for n, side in zip(sizes, made.input_shape[1:], strict=True))
    note = f"pixels that a value of the last map, {safe(maps[-1].name)}, sees"
    return _size(sizes), f"{note}: the whole picture" if whole else note


def _step(row: Layer) -> str:
    steps = row.receptive_field.stride if row.receptive_field else ()
    return "×".join(f"{step:g}" for step in (steps if len(set(steps)) > 1 else steps[:1]))


def _bytes(count: int) -> str:
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"
