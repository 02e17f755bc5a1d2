"""Findings: where a robot's telemetry, its logbook and its parts do not fit together. Pure."""
