"""Select: the best run by one metric among those that keep the limits on others."""

from dashboards import frame, metric_view, select_view

with frame.page("Select", own=select_view.OWN):
    asked = select_view.chosen()
    if asked:
        found = select_view.selected(asked)
        if found:
            select_view.head(found)
            select_view.picture_and_standings(found)
            select_view.candidates(found)
        metric_view.rank_again(asked.experiment)
