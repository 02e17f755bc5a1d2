"""Incidents of known cause, and how often the verdict is right, wrong, or none."""
