"""Targets of a form of their own, drawn on the example: boxes, masks, points; one file a form."""

HELPERS = ("words",)
