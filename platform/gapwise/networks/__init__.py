"""Networks: one file a network, found by name."""
