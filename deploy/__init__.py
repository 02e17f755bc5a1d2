"""Bringing it up: local stack, migrations, topics and the command line."""
