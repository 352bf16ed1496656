"""Compare: which of two runs errs less, surely so or not, and on which examples."""

from dashboards import compare_view, frame

with frame.page("Compare"):
    pair = compare_view.chosen_pair()
    if pair:
        found = compare_view.compared(pair)
        compare_view.head(found, pair)
        compare_view.difference_and_counts(found, pair)
        compare_view.flips(found, pair)
        compare_view.flips_by(found)
        compare_view.knobs(found)
        compare_view.preference(pair)
