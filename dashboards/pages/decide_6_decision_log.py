"""Decision log: what knobs were to gain, what they gained, and how good the advice has been."""

from dashboards import decision_view, frame

with frame.page("Decision log"):
    log = decision_view.chosen()
    if log:
        decision_view.head(log)
        decision_view.tiles(log)
        decision_view.table(log)
        decision_view.change(log)
