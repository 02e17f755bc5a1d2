"""The shipped detectors, over recordings of which somebody knows what was wrong: `robovitals evaluate`."""
