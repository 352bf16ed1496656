"""Ceiling: which step of a system to work on first, and what a perfect one could gain at most."""

from dashboards import ceiling_view, frame

with frame.page("Ceiling", own=("perfect",)):
    asked = ceiling_view.chosen()
    if asked:
        found = ceiling_view.look(asked)
        ceiling_view.head(found)
        ceiling_view.picture_and_gains(found)
