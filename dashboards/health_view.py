"""The parts of *Health*: what holds, what does not and how to mend it, and who is on the team."""

import time
from typing import Any

import streamlit as st

from dashboards import books, clock, sign_in, widgets
from dashboards.text import said
from gapwise.ledger import team
from gapwise.workflows.doctor import examine
from gapwise.workflows.vitals import Vitals, vitals

_GB = 2**30


def page() -> None:
    """Show everything; whoever leads may have it mended."""
    found, at = _look()
    proved = st.session_state.get("proved")
    if proved is not None:
        found, at = proved
    _head(found, at)
    _tiles(vitals())
    _checks(found)
    _team()


def _head(found: dict[str, Any], at: float) -> None:
    wrong = [check for check in found["checks"] if not check["ok"]]
    title = (
        "Everything is in order"
        if not wrong
        else f"{len(wrong)} of {len(found['checks'])} checks fail"
    )
    with st.container(key="head", gap=None):
        st.markdown(f"# {title}")
        st.markdown(f":gray[looked at {clock.ago(time.time() - at)}]")
    with st.container(horizontal=True):
        if st.button("Look again", key="look-again"):
            _look.clear()
            st.session_state.pop("proved", None)
            st.rerun()
        if widgets.act("Prove every file", "lead", key="prove"):
            with st.spinner("Reading every file of every run"):
                st.session_state["proved"] = (examine(mends=False), time.time())
            st.rerun()
        if wrong and widgets.act("Mend what can be", "lead", key="mend", type="primary"):
            examine(proves=False)
            _look.clear()
            st.session_state.pop("proved", None)
            st.rerun()


def _tiles(now: Vitals) -> None:
    columns = st.columns(4, gap="small")
    running = now.runs.get("RUNNING", 0)
    with columns[0]:
        widgets.tile("runs", "Runs", f"{sum(now.runs.values()):,}", f"{running:,} running")
    with columns[1]:
        widgets.tile("ledger", "Ledger", f"{now.events:,}", "events, each chained to the last")
    with columns[2]:
        widgets.tile("searches", "Searches", f"{now.searches:,}", "that have begun")
    with columns[3]:
        widgets.tile("free", "Free", f"{now.free_bytes / _GB:,.0f} GiB", "where the runs are")


def _checks(found: dict[str, Any]) -> None:
    with widgets.card("checks", "Checks", "`gapwise doctor` does the same, and mends"):
        for check in found["checks"]:
            tone, mark = ("green", "holds") if check["ok"] else ("red", "problem")
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f":{tone}[●] {mark}", width=110)
                st.markdown(f"**{check['name']}**  \n:gray[{said(check['says'])}]", width="stretch")


def _team() -> None:
    note = "`gapwise team ADDRESS ROLE` gives a role, `none` takes it away"
    with widgets.card("team", "Team", note):
        roles = team.roles(books.ledger())
        if not sign_in.current().is_asked:
            st.markdown("Nobody signs in on this dashboard: it answers this machine alone.")
        if roles:
            widgets.table([{"person": name, "role": role} for name, role in sorted(roles.items())])


@st.cache_data(ttl=60, show_spinner="Looking at every part")
def _look() -> tuple[dict[str, Any], float]:
    return examine(mends=False, proves=False), time.time()
