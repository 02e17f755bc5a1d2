"""The robot's side, which needs the base installation only.

What is durable and what is pure: `spool.py` (frames on disk until they are acknowledged), `clock.py` and `ntp.py`
(event times, the offset to the broker), `downsample.py` (readings at any rate to frames at a set one).
"""
