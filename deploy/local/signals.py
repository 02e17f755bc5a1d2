"""Being asked to stop: SIGINT, SIGTERM and SIGHUP, each meaning the same.

A signal is only noted, and whoever works looks for it between two steps: an exception in the middle of starting
a process would lose the process. Long steps that may be broken off anywhere say so (`interruptible`).
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818 - not an error: the wish of whoever sent the signal
    """We were asked to stop."""


class StopSignals:
    def __init__(self) -> None:
        self._asked = False
        self._interruptible = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        watched = [number for number in STOP_SIGNALS if not (number == signal.SIGHUP and under_nohup)]
        before = {number: signal.signal(number, self._handle) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """What runs inside leaves nothing half done when it is broken off."""
        self.check()
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False

    def check(self) -> None:
        """Raises Stopped if we were asked to."""
        if self._asked:
            raise Stopped

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        if self._interruptible:
            self._interruptible = False
            raise Stopped
