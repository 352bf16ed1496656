"""The synthesizers of training data (notes 4.15), one a file."""
