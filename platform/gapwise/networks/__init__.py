"""Networks: one file a network, found by name."""

HELPERS = ("activations", "describe", "filters", "pretrained", "sliding", "word_vectors")
"""The modules that are no networks (see ``gapwise.registry``)."""
