"""Search: where trials were drawn and why, how they went, and what the winner is worth."""

from dashboards import frame, search_view

with frame.page("Search", own=("study", "x", "y")):
    found = search_view.chosen()
    if found is not None:
        search_view.page(found.study)
