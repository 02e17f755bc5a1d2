"""Whether the system says that its clock is synchronised.

In: nothing. Out: True, False, or None where the system does not tell. Called by the agent, now and then. It asks
the kernel (`adjtimex`, which every NTP client of Linux keeps up to date) and changes nothing: `modes` is 0.
"""

import ctypes
import sys

_TIME_ERROR = 5  # what adjtimex returns while the clock is not synchronised
_STA_UNSYNC = 0x40


class _Timex(ctypes.Structure):
    """The head of `struct timex`, which is the same in every ABI of Linux, and room for the rest of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def ntp_synchronised() -> bool | None:
    """None outside Linux, and where a sandbox forbids the call."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    timex = _Timex()
    return judged(adjtimex(ctypes.byref(timex)), timex.status)


def judged(state: int, status: int) -> bool | None:
    """Of what `adjtimex` returns, and the status it fills in."""
    if state < 0:
        return None
    return state != _TIME_ERROR and not status & _STA_UNSYNC
