"""The two clocks of this machine, in µs. Called by the agent's shells; what is pure gets them as arguments."""

import time

# It goes on while the machine sleeps: otherwise a robot that slept looks like a clock that jumped.
_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def wall_us() -> int:
    """UTC, as far as the system knows it."""
    return time.time_ns() // 1000


def mono_us() -> int:
    """Since some moment; never back, never a jump."""
    return time.clock_gettime_ns(_MONOTONIC) // 1000
