"""Where parts meet: train, resume, record, diagnose, compare, predict, export, init."""
