"""The app's frame: navigation, then the page; without server.py it says what is missing."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[1].absolute())
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

import streamlit as st  # noqa: E402

from dashboards import entrance, navigation, server  # noqa: E402

entrance.pass_through()
current = st.navigation(navigation.pages(), expanded=True)
if not server.is_serving():
    st.warning("Started without the server's guard and pictures: run `gapwise dashboard` instead.")
current.run()
