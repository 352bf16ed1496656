"""Health: is every part in order, what does not hold and how to mend it, and who is on the team."""

from dashboards import frame, health_view

with frame.page("Health"):
    health_view.page()
