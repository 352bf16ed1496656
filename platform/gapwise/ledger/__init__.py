"""The ledger: an append-only record of tags, labels, human answers, test looks and decisions."""
