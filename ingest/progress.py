"""Whether the lander gets on with its work. Pure: `now_s` is handed in, monotonic.

In: what its loop and its writer do, and how many records wait. Out: the age of the last progress, and why it
counts as stuck. Called by `ingest/land.py` and `ingest/writer.py`; read by /healthz.
"""

STUCK_AFTER_S = 120.0


class Progress:
    """A consumer can be stuck without any error (aiokafka #1154): then records wait and none land."""

    def __init__(self, now_s: float) -> None:
        self._turned_s = self._landed_s = self._busy_since_s = now_s
        self._waiting = 0

    def turned(self, now_s: float) -> None:
        """The loop has begun a turn."""
        self._turned_s = now_s

    def landed(self, now_s: float) -> None:
        """A batch is in the database."""
        self._landed_s = now_s

    def waits(self, records: int, now_s: float) -> None:
        """So many records are in Kafka and not in the database."""
        if not self._waiting:
            self._busy_since_s = now_s
        self._waiting = records

    def age_s(self, now_s: float) -> float:
        """Time since a batch landed, or since there is anything to land; 0 while there is nothing."""
        return now_s - max(self._landed_s, self._busy_since_s) if self._waiting else 0.0

    def stuck(self, now_s: float, excused: bool) -> str | None:
        """Why it counts as stuck. `excused`: a server is out, and to start the lander anew would not help."""
        if now_s - self._turned_s > STUCK_AFTER_S:
            return f"the loop has not turned for {now_s - self._turned_s:.0f} s"
        if not excused and self.age_s(now_s) > STUCK_AFTER_S:
            return f"nothing has landed for {self.age_s(now_s):.0f} s, and {self._waiting} records wait"
        return None
