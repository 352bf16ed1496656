from dashboards import frame

with frame.page("Runs"):
    pass
