"""A simulated fleet with faults of known onset, and what the shipped detectors make of it."""
