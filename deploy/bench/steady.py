"""The steady part of a drain: from a tenth to nine tenths, without the start and the last batches.

In: how far it is, whenever that may have changed. Out: frames a second and CPU a frame of that part. Called by
`raw.py` for itself and by `land.py` for whatever lands.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploy.bench import usage
from schemas.errors import StopError

FROM, UNTIL = 0.1, 0.9
LOOK_EVERY_S = 0.02
STALLED_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Mark:
    at_s: float
    done: int
    cpu_s: Mapping[str, float]
    machine_cpu_s: float


@dataclass(frozen=True, slots=True)
class Rate:
    """`cpu_us` is by process, a frame; `others_cores` what everything else on the machine used meanwhile."""

    per_s: float
    cpu_us: Mapping[str, float]
    others_cores: float


class Steady:
    """`pids` are those whose CPU is counted."""

    def __init__(self, total: int, pids: usage.Pids) -> None:
        self._total = total
        self._pids = pids
        self._begin: Mark | None = None
        self._end: Mark | None = None

    def see(self, done: int) -> None:
        """So many frames are done by now."""
        if self._begin is None and done >= FROM * self._total:
            self._begin = self._mark(done)
        elif self._end is None and done >= UNTIL * self._total:
            self._end = self._mark(done)

    @property
    def rate(self) -> Rate:
        """Once all are done."""
        assert self._begin is not None, "nothing was seen of it"
        assert self._end is not None, "its end was not seen"
        return between(self._begin, self._end)

    def _mark(self, done: int) -> Mark:
        return mark(done, self._pids)


def mark(done: int, pids: usage.Pids) -> Mark:
    return Mark(time.monotonic(), done, usage.cpu_s(pids), usage.machine_cpu_s())


def between(begin: Mark, end: Mark) -> Rate:
    frames = end.done - begin.done
    cpu_us = {name: 1e6 * (end.cpu_s[name] - begin.cpu_s[name]) / frames for name in begin.cpu_s}
    elapsed_s = end.at_s - begin.at_s
    others_s = end.machine_cpu_s - begin.machine_cpu_s - sum(end.cpu_s.values()) + sum(begin.cpu_s.values())
    return Rate(frames / elapsed_s, cpu_us, max(0.0, others_s / elapsed_s))


def drained(done: Callable[[], int], total: int, pids: usage.Pids, check: Callable[[], None]) -> Rate:
    """Look until all is done. Raises what `check` raises, and StopError when it does not go on."""
    steady, before, moved_s = Steady(total, pids), -1, time.monotonic()
    while (now := done()) < total:
        check()
        steady.see(now)
        if now != before:
            before, moved_s = now, time.monotonic()
        elif time.monotonic() - moved_s > STALLED_AFTER_S:
            raise StopError(f"it stands still at {now} of {total} frames: see the logs in ROBOVITALS_HOME/bench")
        time.sleep(LOOK_EVERY_S)
    steady.see(now)
    return steady.rate
