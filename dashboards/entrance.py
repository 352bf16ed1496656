"""What stands before every page where people sign in: the door, and who is inside."""

from pathlib import Path

import streamlit as st

from dashboards import passes, sign_in, who
from dashboards.text import said

_HERE = Path(__file__).parent.absolute()


def pass_through() -> None:
    """Let the page be made for somebody with a role; else show the door and stop here."""
    way = sign_in.current()
    if not way.is_asked:
        return
    address = who.signed_in()
    if not address:
        _door(way.by)
        st.stop()
    person = who.here()
    if person.role is None:
        _no_role(address, way.by)
        st.stop()
    if way.by == "oidc" and not _has_pass(address, way.key):
        _hand_over(passes.give(address, st.context.cookies, way.key))
        st.stop()
    with (
        st.sidebar,
        st.container(key="who", horizontal=True, vertical_alignment="center", gap="xxsmall"),
    ):
        st.markdown(f":small[{said(person.name)}]  \n:small[:gray[{person.role}]]", width="stretch")
        _sign_out(way.by, label="")


def _door(by: str) -> None:
    st.set_page_config(page_title="Sign in · Gapwise", layout="centered")
    with st.container(key="door"):
        st.markdown("# Gapwise")
        if by == "oidc":
            st.markdown("What should your team do next, and how sure is that?")
            st.button("Sign in", type="primary", on_click=st.login, icon=":material/login:")
        else:
            st.markdown("The proxy in front named nobody. Sign in there and come back.")


def _no_role(address: str, by: str) -> None:
    st.set_page_config(page_title="No role yet · Gapwise", layout="centered")
    with st.container(key="door"):
        st.markdown("# You have no role yet")
        st.markdown(f"You are signed in as {said(address)}. A lead, on the server, lets you in by")
        st.code(f"gapwise team {address} viewer", language="bash")
        _sign_out(by)


def _sign_out(by: str, label: str = "Sign out") -> None:
    if by == "oidc":
        st.button(
            label, on_click=st.logout, icon=":material/logout:", type="tertiary", help="Sign out",
            key="sign-out",
        )  # fmt: skip


def _has_pass(address: str, key: bytes) -> bool:
    cookies = st.context.cookies
    return passes.holder(cookies.get(passes.COOKIE, ""), cookies, key) == address


def _hand_over(given: str) -> None:
    """Give the browser its pass; it keeps it as a cookie and comes again."""
    component = st.components.v2.component(
        "gapwise_pass",
        html="<div></div>",
        js=(_HERE / "pass.js").read_text(encoding="utf-8"),
    )
    component(data={"pass": given}, key="pass")
