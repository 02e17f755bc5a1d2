"""Whether this process has stood still for so long that its partitions may be another's by now.

In: monotonic times, at which it is known to run. Out: an error for whoever is about to write state. Called by
`processors/assess_work.py`. A process that is stopped past its session and then goes on still holds messages, and
would write over the state of its successor: Kafka fences off no producer without transactions. It has to start
again. What lies between the check and the socket, a millisecond or so, is not covered.
"""

from schemas.errors import StopError


class Standstill:
    """`tick` is called several times within `limit_s`, the length of a session."""

    def __init__(self, limit_s: float, now_s: float) -> None:
        self._limit_s = limit_s
        self._ticked_s = now_s
        self._longest_s = 0.0

    def tick(self, now_s: float) -> None:
        """The process runs."""
        self._longest_s = max(self._longest_s, now_s - self._ticked_s)
        self._ticked_s = now_s

    def check(self, now_s: float) -> None:
        """Raises StopError when there was a gap as long as a session, whether or not it has been ticked since."""
        stood_s = max(self._longest_s, now_s - self._ticked_s)
        if stood_s >= self._limit_s:
            raise StopError(
                f"stood still for {stood_s:.0f} s, past its session: start again, its messages are left"
            )
