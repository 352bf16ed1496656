"""The datasets and readers, one a file."""
