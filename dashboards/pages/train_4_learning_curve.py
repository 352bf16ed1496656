"""Learning curve: would more data help, by how much, and how sure is that?"""

from dashboards import frame, learning_curve_view

with frame.page("Learning curve"):
    curves = learning_curve_view.chosen()
    if curves:
        learning_curve_view.head(curves)
        learning_curve_view.picture_and_gains(curves)
        learning_curve_view.points_and_laws(curves)
