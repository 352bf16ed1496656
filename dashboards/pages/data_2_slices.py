"""Slices: where in a split the errors are, what slices are weak, and how dev differs."""

from dashboards import frame, shift_view, slice_view

with frame.page("Slices"):
    chosen = slice_view.chosen()
    if chosen:
        found = slice_view.sliced(*chosen)
        slice_view.head(found)
        slice_view.weak(found)
        slice_view.columns(found)
        shift_view.mismatch(found.run_id)
