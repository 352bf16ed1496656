"""Errors: what a run gets wrong, tagged at the speed of keys, and what fixing it would gain."""

from dashboards import desk_view, frame

with frame.page("Errors", own=desk_view.OWN):
    chosen = desk_view.chosen()
    if chosen:
        desk_view.head(chosen)
        desk_view.desk(chosen)
        desk_view.matrix(chosen)
