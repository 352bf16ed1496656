"""Labels: suspects and random samples of dev and test, reviewed by one process; runs re-scored."""

from dashboards import frame, label_data, label_view

with frame.page("Labels", own=label_view.OWN):
    chosen = label_view.chosen()
    if chosen and chosen.campaign is None:
        label_view.begin_one(chosen)
        label_view.train_labels(chosen)
        label_view.rescored(chosen)
    elif chosen and chosen.campaign:
        review = label_data.review_of(chosen.campaign)
        label_view.head(review)
        label_view.desk(chosen)
        label_view.progress(review)
        label_view.rescored(chosen)
        label_view.train_labels(chosen)
        label_view.links(chosen)
