"""Runs: their local truth, MLflow written behind it, and the predictions they leave."""
