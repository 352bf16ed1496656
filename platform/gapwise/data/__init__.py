"""From files to splits: readers, draws, duplicates, and the folder that training reads."""
