"""How many messages a receiver may be sent now: a bucket that fills up again with time.

In: a receiver's pace and monotonic time. Out: whole messages. Called by `processors/notify/delivering.py`. Pure.
"""

import math

from processors.notify.receivers import Pace


class Limiter:
    """Full at the beginning. `now_s` never goes back."""

    def __init__(self, pace: Pace, now_s: float) -> None:
        self._pace = pace
        self._left = float(pace.rate)
        self._at_s = now_s

    def left(self, now_s: float) -> int | None:
        """None: as many as there are."""
        if not self._pace.rate:
            return None
        filled = self._left + (now_s - self._at_s) * self._pace.rate / self._pace.rate_s
        self._left, self._at_s = min(filled, float(self._pace.rate)), now_s
        return math.floor(self._left + 1e-9)

    def take(self, messages: int) -> None:
        if self._pace.rate:
            self._left -= messages
