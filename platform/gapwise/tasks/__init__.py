"""Tasks: what a network is trained for; one file a task, found by name."""

HELPERS = ("boxes",)
"""The modules that are no tasks (see ``gapwise.registry``)."""
