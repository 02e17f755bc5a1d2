"""Telling receivers of episodes. `notifier.py` is the process; `decide.py` says who is told what, and when."""
