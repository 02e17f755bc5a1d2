"""Measuring the pipeline: `robovitals bench`. A load, what is watched while it flows, and the figures."""
