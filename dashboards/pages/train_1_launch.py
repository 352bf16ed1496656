"""Launch: a training, a search or one knob, in the background; watched, stopped, gone on with."""

from dashboards import frame, launch_view

with frame.page("Launch", own=("knob", "launch", "sitting")):
    launch_view.page()
