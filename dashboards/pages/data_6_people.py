"""People: what a verifier is worth, whom a picture shows, who is enrolled, a map of encodings."""

from dashboards import frame, people_view

with frame.page("People"):
    run = people_view.chosen()
    if run:
        people_view.head(run)
        people_view.gallery(run)
        people_view.encodings_of(run)
