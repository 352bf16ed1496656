"""The parts of *Style*: two pictures, sliders, and what becomes of them (notes 8)."""

import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from dashboards import choosing, frame, fresh, network_data, widgets
from dashboards.text import said
from gapwise.data.datasets.textures import photographs
from gapwise.errors import GapwiseError, UsageError
from gapwise.settings import Settings
from gapwise.training.stylize import Progress
from gapwise.workflows import style
from gapwise.workflows.style import Asked, Features

KINDS: Final = ["png", "jpg", "jpeg", "webp"]
BUNDLED: Final = {"content": "chelsea", "style": "immunohistochemistry"}
SHARES: Final = (0.3, 1, 3, 10, 30, 100, 300, 1000)
SIZES: Final = (96, 128, 192, 256, 384, 512)
MOST_STEPS: Final = 300


def chosen() -> str | None:
    """Let people choose a run on colour or grey pictures; None, with help, where there is none."""
    known = _runs(fresh.runs_mark())
    if not known:
        widgets.empty(
            "No network to see style with yet",
            "Train one on pictures; `textures` takes three minutes and comes with its data. "
            "`gapwise style --weights` takes VGG-19's published weights instead.",
            "gapwise train textures",
        )
        return None
    with widgets.chips("style"):
        return choosing.run_of(known)


def head() -> None:
    """What this is."""
    with st.container(key="head", gap=None):
        st.markdown("# The content of one picture, the style of another")
        st.markdown(
            ":gray[The network stays as it is; what is learned are the pixels. J = α·content + "
            "β·style (notes 8.3): activations of one layer shall stay, how channels go together "
            "shall become that of the style picture.]"
        )


def pictures() -> dict[str, tuple[str, bytes]]:
    """Both pictures: uploaded, or bundled photographs."""
    found = {}
    bundled = _bundled()
    for column, (role, usual) in zip(st.columns(2, gap="small"), BUNDLED.items(), strict=True):
        with column, widgets.card(role, role.capitalize(), fill=True):
            file = st.file_uploader(f"{role.capitalize()} picture", KINDS, key=f"file-{role}")
            if file is not None:
                found[role] = (file.name, file.getvalue())
            else:
                options = list(bundled)
                name = st.selectbox(
                    "or a bundled one", options, options.index(usual), key=f"bundled-{role}"
                )
                found[role] = (name, bundled[name])
            try:
                st.image(style.looked_at(*found[role]), width=260)
            except GapwiseError as error:
                frame.told(error)
    return found


def options(run: str) -> dict[str, Any]:
    """What the sliders and choices say."""
    features = _features(run, fresh.runs_mark())
    usual_content, usual_style = features.usual()
    layers = list(features.choices())
    with widgets.card("options", "How"):
        one, two, three = st.columns(3, gap="small")
        with one:
            beta = st.select_slider(
                "β ÷ α: how much style", SHARES, 10, format_func=lambda n: f"{n:g}", key="beta"
            )
            smooth = st.slider("Smoothness", 0.0, 1.0, 0.2, 0.1, key="smooth")
            steps = st.slider("Steps", 10, MOST_STEPS, 60, 10, key="steps")
        with two:
            size = st.select_slider("Longer side, pixels", SIZES, 256, key="size")
            start = st.segmented_control(
                "Begin with", ["content", "noise"], default="content", key="start"
            )
            how = st.segmented_control(
                "Optimizer", ["lbfgs", "adam"], default="lbfgs", key="optimizer"
            )
        with three:
            content = st.selectbox(
                "Content layer", layers, layers.index(usual_content), key=f"content-{run}"
            )
            wanted = st.multiselect("Style layers", layers, usual_style, key=f"style-{run}")
            deeper = st.slider(
                "Weight of each deeper style layer, times", 0.25, 2.0, 1.0, 0.25, key="deeper"
            )
    weights = {name: deeper**place for place, name in enumerate(sorted(wanted, key=layers.index))}
    return {
        "content": content, "style": weights, "alpha": 1.0, "beta": float(beta),
        "smooth": smooth, "steps": steps,
        "start": start or "content", "optimizer": how or "lbfgs", "size": size,
    }  # fmt: skip


def make(run: str, asked: Mapping[str, tuple[str, bytes]], options: dict[str, Any]) -> None:
    """Make the picture while people watch, and let them take it away."""
    with widgets.card("made", "Picture"):
        if widgets.act("Make it", "lead", type="primary", key="make"):
            try:
                _made(run, asked, options)
            except GapwiseError as error:
                frame.told(error)
        before = st.session_state.get("styled")
        if before is not None:
            picture, told = before
            st.image(picture, width=520)
            st.caption(told)
            st.download_button("Take it (PNG)", picture, "styled.png", key="take-styled")


def _made(run: str, asked: Mapping[str, tuple[str, bytes]], options: dict[str, Any]) -> None:
    if not options["style"]:
        raise UsageError("no style layer is chosen; choose one or more")
    bar, place = st.progress(0.0), st.empty()
    st.session_state["styled"] = None
    told = ""

    def watch(now: Progress) -> None:
        nonlocal told
        told = f"content {now.content:.3g} · style {now.style:.3g} · total {now.total:.3g}"
        bar.progress(now.step / now.steps, text=f"step {now.step} of {now.steps}: {told}")
        place.image(style.as_picture(now.picture), width=520)

    given = {name: value for name, value in options.items() if name != "size"}
    request = Asked(content=asked["content"], style=asked["style"], size=options["size"])
    made = style.transfer(_features(run, fresh.runs_mark()), request, given, watch)
    place.empty()
    bar.empty()
    st.session_state["styled"] = (_png(made), said(told))


def _png(picture: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


@st.cache_data(show_spinner=False)
def _bundled() -> dict[str, bytes]:
    return {name: _png(picture) for name, picture in photographs().items()}


@st.cache_resource(show_spinner=False, max_entries=4)
def _features(run: str, at: fresh.Mark) -> Features:
    return style.of_run(run, Settings.read())


@st.cache_resource(show_spinner=False, max_entries=4)
def _runs(at: fresh.Mark) -> dict[str, str]:
    known = network_data.trained().items()
    return {run: name for run, name in known if _has_features(run, at)}


def _has_features(run: str, at: fresh.Mark) -> bool:
    try:
        return len(_features(run, at).choices()) > 0
    except GapwiseError:
        return False
