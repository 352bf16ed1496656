"""Networks: what a network is made of, and what a trained one has learned to see."""

from dashboards import frame, inside_view, network_view

with frame.page("Networks", own=("network", "layer", "unit", "example")):
    chosen = network_view.chosen()
    if chosen:
        network_view.head(chosen)
        network_view.totals(chosen)
        network_view.drawing(chosen)
        inside = inside_view.opened(chosen)
        if inside:
            inside_view.first_filters(inside)
            inside_view.responses(inside)
            inside_view.patches(inside)
        network_view.table(chosen)
