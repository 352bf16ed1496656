"""Errors of single examples, and the figures that sum them up."""
