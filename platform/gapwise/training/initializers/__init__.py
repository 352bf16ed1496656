"""Initializers: one file each, found by name."""
