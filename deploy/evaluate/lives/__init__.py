"""Findings, held against simulated lives of which the truth is known."""
