"""Human level: a blind quiz for several people, and what their answers say."""

from dashboards import frame, human_view

with frame.page("Human level", own=human_view.OWN):
    chosen = human_view.chosen()
    if chosen:
        found = human_view.stated(chosen)
        human_view.head(found, chosen)
        human_view.ask(chosen)
        human_view.results(found)
