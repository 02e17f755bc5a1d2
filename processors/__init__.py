"""Frames to vitals, vitals to health and anomalies."""
