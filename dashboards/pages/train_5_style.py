"""Style: one picture in the style of another, by the features of a network that trained here."""

from dashboards import frame, style_view

with frame.page("Style"):
    run = style_view.chosen()
    if run:
        style_view.head()
        asked = style_view.pictures()
        options = style_view.options(run)
        style_view.make(run, asked, options)
