"""What next: one sentence says what matters, one picture shows why, the next action is a click."""

from dashboards import bayes_view, frame, next_view
from dashboards.headline import headline

with frame.page("What next"):
    subject = next_view.subject("what-next")
    if subject:
        diagnosis = next_view.diagnosis(subject)
        next_view.head(headline(diagnosis))
        next_view.ladder_and_steps(diagnosis, subject)
        next_view.tiles(diagnosis, subject)
        next_view.found(diagnosis)
        next_view.matched(subject)
        next_view.parts(subject)
        bayes_view.estimates(diagnosis.run_id)
