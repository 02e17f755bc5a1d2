"""The history report: what a robot's logbook and its telemetry say of its life, for whoever thinks of buying it."""
