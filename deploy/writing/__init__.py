"""Bringing what people have to say about robots into their logbooks."""
