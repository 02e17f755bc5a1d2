"""Faults: the product's processes and servers are broken on purpose, and the books must balance all the same."""
