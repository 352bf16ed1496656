"""Coarse-to-fine search: spaces, regions, rungs, and the driver whose events are its truth."""
