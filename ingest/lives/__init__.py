"""Whole lives of simulated robots, honest and not, with what is true about each. Pure, but for its own seed."""
