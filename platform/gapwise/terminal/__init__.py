"""What people read on a terminal; answers go to stdout, everything else to stderr."""
