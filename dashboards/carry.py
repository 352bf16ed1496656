"""What is being looked at stands in the URL and goes along from page to page."""

from collections.abc import Callable, Sequence

import streamlit as st

CARRIED = ("experiment", "run", "other", "split", "pipeline")


def begin(own: Sequence[str] = ()) -> None:
    """Bring the URL up to date: a link's own values win over those carried along.

    ``own`` names values that this page alone has a use for; they stand in its URL and no other's.
    """
    kept: dict[str, str] = st.session_state.setdefault("carried", {})
    for name in (*CARRIED, *own):
        if name in st.query_params:
            kept[name] = st.query_params[name]
        elif name in kept:
            st.query_params[name] = kept[name]


def get(name: str) -> str | None:
    """Return the value that the URL gives, None where it gives none."""
    value: str | None = st.session_state.get("carried", {}).get(name)
    return value


def put(**values: str | None) -> None:
    """Set values in the URL; None takes one away."""
    kept: dict[str, str] = st.session_state.setdefault("carried", {})
    for name, value in values.items():
        if value is None:
            kept.pop(name, None)
            st.query_params.pop(name, None)
        else:
            kept[name] = value
            st.query_params[name] = value


def choose(
    name: str,
    options: Sequence[str],
    says: Callable[[str], str],
    *,
    width: int = 260,
    forgets: Sequence[str] = (),
    adopt: bool = True,
) -> str:
    """Let people choose one of ``options`` (at least one); the choice stands in the URL.

    Args:
        name: the URL's parameter.
        options: values; the first is the default.
        says: value → what is read (plain text).
        width: pixels.
        forgets: parameters that lose their meaning with another choice.
        adopt: put the default into the URL when it gives no value.
    """
    key = f"choose-{name}"
    current = get(name) or options[0]
    if current not in options:
        current = options[0]
    if adopt:
        put(**{name: current})
    st.session_state[key] = current

    def changed() -> None:
        put(**{name: st.session_state[key]}, **dict.fromkeys(forgets))

    st.selectbox(
        name,
        options,
        format_func=says,
        key=key,
        label_visibility="collapsed",
        on_change=changed,
        width=width,
    )
    return current
