"""Networks: one file a network, found by name."""

HELPERS = ("activations", "describe", "filters", "pretrained")
"""The modules that are no networks (see ``gapwise.registry``)."""
