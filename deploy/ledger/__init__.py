"""The ledger: frames whose content follows from a seed, a book of what became of each, and the check of it all."""
