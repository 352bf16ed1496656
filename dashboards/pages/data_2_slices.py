"""Slices: where in a split the errors are, and the slices that are surely weak."""

from dashboards import frame, slice_view

with frame.page("Slices"):
    chosen = slice_view.chosen()
    if chosen:
        found = slice_view.sliced(*chosen)
        slice_view.head(found)
        slice_view.weak(found)
        slice_view.columns(found)
