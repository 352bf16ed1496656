"""What stored predictions say: ladder, gaps, verdict, findings, comparisons."""
