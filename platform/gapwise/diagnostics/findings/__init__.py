"""The diagnostics, one file each: pure functions from stored evidence to findings."""
