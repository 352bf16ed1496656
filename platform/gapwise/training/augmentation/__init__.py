"""Augmentation: changes to training pictures that keep their labels (notes 5.17)."""
