"""Intervals, posteriors, paired tests and sample sizes."""
