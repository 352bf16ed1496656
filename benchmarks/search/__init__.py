"""Speed and quality of searches: each module a command that prints a table."""
