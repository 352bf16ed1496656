"""Training: a plain loop whose every draw is a function of (seed, epoch, step or example)."""
