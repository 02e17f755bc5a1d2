"""How soon to try again, and how fast to catch up. Pure: random numbers and time come in as arguments.

Called by `uplink.py`. A whole fleet loses its broker in the same moment and must not come back in the same second:
full jitter, the wait being anything from nought up to a bound that doubles. A robot of 100 000 that were away for
ten minutes is then somewhere within a minute, and the broker sees 3 300 logins a second instead of all of them.
"""

from dataclasses import dataclass

FIRST_S = 5.0  # the bound of the first wait: a broker that is restarted has every robot at its door
REFUSED_S = 60.0  # a password is not mended within seconds


@dataclass(slots=True)
class Backoff:
    """Waits before connecting: each uniform up to a bound, which doubles from FIRST_S up to `most_s`."""

    most_s: float
    failures: int = 0

    def failed(self, chance: float, refused: bool = False) -> float:
        """How long to wait, `chance` being uniform in 0..1. Refused: long, and never less than half of it."""
        self.failures += 1
        if refused:
            bound_s = REFUSED_S * float(2 ** min(self.failures - 1, 3))
            return bound_s * (0.5 + chance / 2)
        return chance * min(self.most_s, FIRST_S * float(2 ** min(self.failures - 1, 16)))

    def succeeded(self) -> None:
        """Only what was acknowledged counts: a broker that lets in and then refuses is not back."""
        self.failures = 0


@dataclass(slots=True)
class Pace:
    """At most `per_s` things a second, and no more than a second's worth at once."""

    per_s: float
    begins_s: float  # before this nothing is let through
    _saved: float = 0.0
    _last_s: float = 0.0

    def allowed(self, now_s: float) -> int:
        """How many may go now."""
        if now_s < self.begins_s:
            return 0
        since_s = now_s - max(self._last_s, self.begins_s)
        self._last_s = now_s
        self._saved = min(max(1.0, self.per_s), self._saved + since_s * self.per_s)
        return int(self._saved)

    def took(self, count: int) -> None:
        self._saved -= count
